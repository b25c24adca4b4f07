# as it was
