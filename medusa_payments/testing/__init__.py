"""What a shop's own tests need: fakes of the outside world."""
