"""Every refusal the domain can give. Each carries its sentence as data (messages.py): what is wrong and what to do. The
edges render it, and translate `status` (HTTP) and `ftp` (reply code)."""

from collections.abc import Callable, Mapping, Sequence

from portal.messages import Message, joined, say

Sentences = Message | Sequence[Message]


class DomainError(Exception):
    """A refusal. `code` is that of its kind, which programs are told; the codes of its messages are finer.

    `message`: one sentence or several; `fields`: field name to its own sentence; `topic`: a help page, that of its kind
    where none is given; `more`: what programs are told besides, each a member of the problem document.
    """

    status = 400
    ftp = 550
    topic = "errors"
    title = "That cannot be done"
    code = "refused"

    def __init__(
        self,
        message: Sentences = (),
        *,
        fields: Mapping[str, Message] | None = None,
        topic: str = "",
        **more: object,
    ) -> None:
        self.messages = _messages(message) or [say(self.code, self.title)]
        self.field_messages = dict(fields or {})
        self.topic = topic or type(self).topic
        self.more = more
        super().__init__(self.sentence)

    @property
    def message(self) -> Message:
        """The first of its sentences."""
        return self.messages[0]

    @property
    def whole(self) -> Message:
        """All of its sentences as one message, which bears the code of the first."""
        return self.message if len(self.messages) == 1 else joined(self.message.code, self.messages)

    @property
    def specific(self) -> Message:
        """The sentences of its fields as one message; its own where it names no field."""
        fields = list(self.field_messages.values())
        return joined(fields[0].code, fields) if len(fields) > 1 else fields[0] if fields else self.whole

    @property
    def sentence(self) -> str:
        """All of it, rendered."""
        return " ".join(str(message) for message in self.messages)

    @property
    def fields(self) -> dict[str, str]:
        """The sentence of each field, rendered."""
        return {name: str(message) for name, message in self.field_messages.items()}

    @property
    def codes(self) -> list[str]:
        """What was said, for tests and programs: the codes of its sentences, then those of its fields."""
        return [message.code for message in (*self.messages, *self.field_messages.values())]

    def rename(self, names: Callable[[str], str]) -> None:
        """Let its fields bear the names by which this edge knows them."""
        self.field_messages = {names(name): message for name, message in self.field_messages.items()}


def _messages(sentences: Sentences) -> list[Message]:
    return [sentences] if isinstance(sentences, Message) else list(sentences)


NO_SUCH_ROW = say("no_such_row", "There is nothing of this number.")


class NotFound(DomainError):
    status, title, code = 404, "There is nothing at this address", "not_found"


class Forbidden(DomainError):
    status, title, code = 403, "This is not open to you", "forbidden"
    topic = "access"


class SignInNeeded(DomainError):
    status, ftp, title, code = 401, 530, "Sign in first", "sign_in"
    topic = "account"


class WrongCredentials(SignInNeeded):
    title, code = "E-mail or password is wrong", "credentials"


class Throttled(DomainError):
    status, ftp, title, code = 429, 421, "Too many attempts", "throttled"
    topic = "account"


class Invalid(DomainError):
    """Input that breaks a rule; `fields` holds one sentence a field."""

    status, ftp, title, code = 422, 501, "Some of this needs mending", "invalid"


class BadName(Invalid):
    """A path we do not take; `suggestion` in `more` is a name that we would."""

    ftp, title, code = 553, "This name cannot be used", "bad_name"
    topic = "names"


class Conflict(DomainError):
    """Somebody was faster, or the thing does not stand where this action starts."""

    status, ftp, title, code = 409, 550, "This is no longer possible", "conflict"
    topic = "states"


class Frozen(Conflict):
    title, code = "These bytes are being checked or archived", "frozen"


class NotReady(Conflict):
    title, code = "Something is still missing", "not_ready"
    topic = "states"


class Busy(DomainError):
    status, ftp, title, code = 503, 451, "The archive is busy, try again in a moment", "busy"


class Unwritable(Busy):
    title, code = "The portal cannot write just now", "unwritable"


class GhostSession(Busy):
    ftp, title, code = 450, "Another session is still sending this file", "ghost"
    topic = "ftp"


class TooLarge(DomainError):
    status, ftp, title, code = 413, 552, "This is larger than what is allowed", "too_large"
    topic = "ftp"


class QuotaExceeded(TooLarge):
    status, title, code = 507, "Your quota is used up", "quota"
    topic = "quota"


class DiskFull(DomainError):
    status, ftp, title, code = 507, 452, "The archive has no room for this now", "disk_full"
    topic = "quota"


class StorageFault(DomainError):
    """The disk refused; never retried on the same descriptor (a failed fsync may have dropped the pages)."""

    status, ftp, title, code = 500, 451, "The archive could not store these bytes; the fault is ours", "storage"


class Incomplete(DomainError):
    """Fewer bytes came than were announced, or the connection broke."""

    status, ftp, title, code = 400, 426, "The file did not arrive whole", "incomplete"
    topic = "ftp"


class DigestMismatch(DomainError):
    status, title, code = 400, "What arrived has another digest than announced", "digest"
    topic = "md5"


class Fenced(Conflict):
    """A worker or session that lost its lease may not write its result."""

    ftp, title, code = 426, "Another session took this upload over", "fenced"
    topic = "ftp"


class Damaged(DomainError):
    status, title, code = 503, "This file is damaged in the archive and is not served", "damaged"
    topic = "download"


class Gone(DomainError):
    status, title, code = 410, "This was withdrawn", "gone"
    topic = "download"


class Released(Gone):
    """A sharing link whose dataset has its public page now."""

    title = "This dataset is released"
