"""``manage.py demo``: what the library does when answers get lost, shown on a running shop."""
