from tests.laws.fixtures import fake, fake_single, shop, stripe

__all__ = ["fake", "fake_single", "shop", "stripe"]
