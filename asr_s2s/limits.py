"""How many threads and processes a user may ask for: more than any machine has a use for, too few to bring it down."""

MOST_THREADS = 1024
MOST_JOBS = 256
