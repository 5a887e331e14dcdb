"""What this project uses of pyftpdlib 2.2, typed: the library itself has no types."""
