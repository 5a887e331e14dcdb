from typing import BinaryIO

class FileProducer:
    buffer_size: int
    file: BinaryIO
    def __init__(self, file: BinaryIO, type: str) -> None: ...
