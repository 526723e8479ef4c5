"""What torch 2.13 answers to its own OpInfo samples, asked of the service through JSON requests."""
