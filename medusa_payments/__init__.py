"""Payments for Django that never lose track of money when a provider's answer is lost."""

__version__ = "0.1.0"
