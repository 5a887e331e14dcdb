"""Background work: the worker, what it does for each kind of job, and what comes by the clock."""
