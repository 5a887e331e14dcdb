"""Do the tests notice? Small faults are put into the sources one at a time, and the tests of that room must fail:
`make mutants`, or `python -m tests.mutants --room access --count 50`."""
