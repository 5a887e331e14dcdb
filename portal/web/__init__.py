"""HTTP in, HTML out: a room for each noun. app.py wires them."""
