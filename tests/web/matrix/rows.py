"""The words of the access matrix: one row a route, method and state, with the status each kind of person gets."""

from dataclasses import dataclass, field
from typing import Any

ANYONE = ("anonymous", "ines", "colleague", "stranger", "ruth")


@dataclass(frozen=True)
class Row:
    """`path`, `data` and `json` may hold {names} that the table's stage(state) returns. `ines` is the owner.

    `bearer`: people come with an API token instead of a session; `raw`: the body of the request.
    """

    endpoint: str
    method: str
    path: str
    expect: dict[str, int]
    state: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    json: Any = None
    raw: bytes | None = None
    bearer: bool = False

    @property
    def label(self) -> str:
        return f"{self.method} {self.path} {self.state}".strip()


def everyone(status: int) -> dict[str, int]:
    return dict.fromkeys(ANYONE, status)


def people(status: int, *, anonymous: int) -> dict[str, int]:
    """Whoever is signed in."""
    return everyone(status) | {"anonymous": anonymous}


def curators(status: int, *, anonymous: int, others: int = 403) -> dict[str, int]:
    return everyone(others) | {"anonymous": anonymous, "ruth": status}


# A form with typed words in it gives them back where the session ran out, instead of leading to the sign-in.
GIVEN_BACK = {"anonymous": 401}


def owner(status: int, *, anonymous: int, others: int = 404, ruth: int | None = None) -> dict[str, int]:
    return everyone(others) | {"anonymous": anonymous, "ines": status, "ruth": others if ruth is None else ruth}
