"""What this project uses of gunicorn 27, typed: the library itself has no types."""
