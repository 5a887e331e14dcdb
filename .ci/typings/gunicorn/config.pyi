from typing import Any

class Config:
    settings: dict[str, Any]
    threads: int
    def set(self, name: str, value: object) -> None: ...
