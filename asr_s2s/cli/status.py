"""What the command's exit status tells, beside 0 (done) and 128 + n (ended by signal n)."""

FAILED_INPUTS = 1  # some or all; the others are complete
WRONG_USE = 2  # or wrong configuration or data
OUR_FAULT = 3
CHECK_FAILED = 4  # a threshold is exceeded, a report does not come out again, `check` found faults
