"""What Brig costs, part by part: each takes a stage, measures in interleaved rounds and prints a table."""
