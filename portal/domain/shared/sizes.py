"""Sizes in bytes as people read them: in 1000, as SI has it and disks are sold, with three digits."""

UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
GB = 1000**3


def scale(n: float) -> tuple[float, str]:
    """The divisor and unit that leave one to three digits before the point."""
    divisor, step = 1.0, 0
    while n / divisor >= 999.5 and step < len(UNITS) - 1:
        divisor, step = divisor * 1000, step + 1
    return divisor, UNITS[step]


def digits(value: float) -> str:
    """Three significant digits, never an exponent: 8.41, 93.8, 612."""
    places = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{places}f}"


def size(n: float) -> str:
    """A size in bytes as 8.41 GB; bytes are whole."""
    divisor, unit = scale(n)
    return f"{int(n)} B" if unit == "B" else f"{digits(n / divisor)} {unit}"
