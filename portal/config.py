"""Every setting: name, default, one-line meaning. Read from OMIX_* environment variables, checked at start."""

import re
from functools import cache, cached_property
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
GIB = 1 << 30
ADDRESSES = {
    "database_url": (r"sqlite(\+\w+)?:///.+|postgresql(\+\w+)?://.+", "sqlite:////folder/portal.db"),
    "queue_url": (r"sqlite:///.+", "sqlite:////folder/queue.db"),
    "mail_url": (r"smtps?://[^/?\s]*[^/?@:\s](:\d+)?(/?(\?.*)?)", "smtp://user:password@host:port"),
}


@cache
def _zones() -> frozenset[str]:
    """The IANA time zones this machine knows; to look for them reads hundreds of files."""
    return frozenset(available_timezones())


class Settings(BaseSettings):
    """The settings of one instance. Unknown OMIX_ variables are ignored; a bad value stops the start."""

    model_config = SettingsConfigDict(
        env_prefix="OMIX_", frozen=False, extra="ignore", ignored_types=(cached_property,)
    )

    instance: Path = Field(
        ROOT / "instance", description="folder of the database, queue, area, archive, keys and outbox"
    )
    site_name: str = Field("OMIX Portal", description="name shown on every page and in every mail")
    prefix: str = Field("OMIX", pattern=r"^[A-Z][A-Z0-9]{1,9}$", description="accession prefix, also the FTP folder")
    contact: str = Field("archive@example.org", description="address for people who are stuck")
    accent: str = Field("#0b6085", pattern=r"^#[0-9a-fA-F]{6}$", description="the site's one colour")
    host: str = Field("127.0.0.1", description="address web and FTP listen on")
    port: int = Field(8000, ge=0, le=65535, description="web port; 0 means any free port")
    public_url: str = Field("", description="address people reach the portal at; default: where it listens")
    ftp_port: int = Field(2121, ge=0, le=65535, description="FTP port; 0 means any free port")
    ftp_passive_ports: str = Field("50000-50100", pattern=r"^\d+-\d+$", description="passive port range; 0-0: any")
    ftp_public_address: str = Field("", description="address told to FTP clients behind NAT")
    ftp_tls: str = Field("optional", pattern="^(optional|required|off)$", description="TLS on the FTP door")
    database_url: str = Field("", description="SQLAlchemy address; default: portal.db in the instance folder")
    queue_url: str = Field("", description="queue address; default: queue.db in the instance folder")
    mail_url: str = Field("", description="smtp://user:password@host:port (smtps, ?starttls=1); default: outbox folder")
    mail_from: str = Field("", description="sender of mails; default: the contact address")
    secret_key: str = Field("", description="signs cookies; default: made at first start and kept in keys/")
    timezone: str = Field("UTC", description="IANA zone of release dates and shown times")
    archive_open: Path | None = Field(None, description="archive root of open data")
    archive_protected: Path | None = Field(None, description="archive root of controlled data")
    area_open: Path | None = Field(None, description="upload root of the open realm")
    area_protected: Path | None = Field(None, description="upload root of the protected realm")
    filing_url: str = Field("", description="page that explains the filing of human genetic resources; empty: no link")
    bioproject_url: str = Field(
        "https://ngdc.cncb.ac.cn/bioproject/", description="where a submitter creates a BioProject"
    )
    data_types: str = Field(
        "Genomics, Transcriptomics, Epigenomics, Microarray, Metagenomics, Proteomics, Metabolomics, Lipidomics, "
        "Imaging, Clinical data, Other",
        description="data types that the form suggests, with commas between",
    )
    europepmc_url: str = Field("", description="base address of the publication watcher; off until set")
    webhook_private: bool = Field(
        False, description="whether webhooks may go to loopback and private addresses, and by http"
    )
    filing_label: str = Field(
        "Accessions in the Ministry of Science and Technology", description="label of the filing number"
    )
    filing_required: bool = Field(
        False, description="whether human data that are to be open need a filing number before they are submitted"
    )
    package_gib: int = Field(10, ge=1, description="size from which a package is advised to be made smaller, GB")
    file_gib: int = Field(20, ge=1, description="size from which any other file is advised to be made smaller, GB")
    many_files: int = Field(200, ge=2, description="number of small files from which packing them is advised")
    registration: bool = Field(True, description="whether anybody may register")
    quota_gib: int = Field(1024, ge=0, description="upload quota of a center in each realm, GiB; 0: none")
    account_quota_gib: int = Field(0, ge=0, description="upload quota of each account in each realm, GiB; 0: none")
    free_floor_mib: int = Field(512, ge=0, description="free space below which no upload starts, MiB")
    web_limit_mib: int = Field(2048, ge=1, description="largest file the form's own field takes, MiB")
    web_workers: int = Field(1, ge=1, description="web processes")
    web_threads: int = Field(64, ge=2, description="threads of each web process")
    job_threads: int = Field(2, ge=1, description="jobs that run side by side")
    ftp_max_connections: int = Field(1024, ge=1, description="FTP control connections at once")
    ftp_max_per_address: int = Field(256, ge=0, description="FTP connections at once from one address; 0: no bound")
    fixity_days: int = Field(30, ge=1, description="every archived byte is read again within so many days")
    incomplete_days: int = Field(7, ge=1, description="days an incomplete upload is kept")
    received_days: int = Field(90, ge=1, description="days an unused upload is kept")
    review_remind_days: int = Field(
        7, ge=0, description="curators are reminded of a dataset that waits so many days, and again; 0: never"
    )
    request_remind_days: int = Field(
        7, ge=0, description="deciders are reminded of a request that waits so many days, and again; 0: never"
    )
    grant_remind_days: int = Field(14, ge=0, description="days before its end a grant's owner is reminded; 0: never")
    oidc_issuer: str = Field("", description="address of an OpenID Connect provider for single sign-on; off until set")
    oidc_client_id: str = Field("", validate_default=True, description="what the provider calls this portal")
    oidc_client_secret: str = Field("", description="secret of this portal at the provider; empty: a public client")
    oidc_name: str = Field("your institute", description='who signs people on: the button says "Sign in with ..."')
    oidc_registration: bool = Field(True, description="whether everybody whom the provider signs on gets an account")
    report_hour: int = Field(2, ge=0, le=23, description="hour of the day, in the site's zone, of the batch reports")
    report_days: int = Field(90, ge=2, description="days a batch report is kept; the newest full one always is")
    log_format: str = Field("text", pattern="^(text|json)$", description="form of the log lines")

    @field_validator("instance", "archive_open", "archive_protected", "area_open", "area_protected")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _zones():
            raise ValueError(f"{value!r} is no IANA time zone, such as Europe/Vienna")
        return value

    @field_validator("ftp_passive_ports")
    @classmethod
    def _rising(cls, value: str) -> str:
        low, high = (int(part) for part in value.split("-"))
        if low > high or high > 65535 or (low == 0) != (high == 0):
            raise ValueError(f"{value!r} is no range of ports, such as 50000-50100; 0-0 means any")
        return value

    @field_validator("database_url", "queue_url", "mail_url")
    @classmethod
    def _known_address(cls, value: str, info: ValidationInfo) -> str:
        pattern, example = ADDRESSES[info.field_name or ""]
        if value and not re.fullmatch(pattern, value):
            raise ValueError(f"this is no address of the kind {example}")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        if value and not is_safe_address(value):
            raise ValueError("a provider is reached by https:// (by http:// on this machine only)")
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _client_of_issuer(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("oidc_issuer") and not value:
            raise ValueError("OMIX_OIDC_ISSUER needs the name under which the provider knows this portal")
        return value

    @property
    def suggested_types(self) -> list[str]:
        return [name.strip() for name in self.data_types.split(",") if name.strip()]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def root(self, kind: str, realm: str) -> Path:
        """The folder of 'area' or 'archive' bytes of a realm ('open', 'protected')."""
        return getattr(self, f"{kind}_{realm}") or self.instance / kind / realm

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.instance / 'portal.db'}"

    @property
    def queue(self) -> str:
        return self.queue_url or f"sqlite:///{self.instance / 'queue.db'}"

    @property
    def keys(self) -> Path:
        return self.instance / "keys"

    @property
    def run(self) -> Path:
        return self.instance / "run"

    @property
    def outbox(self) -> Path:
        return self.instance / "outbox"

    @property
    def passive_range(self) -> range | None:
        low, high = (int(part) for part in self.ftp_passive_ports.split("-"))
        return range(low, high + 1) if high else None

    @property
    def sender(self) -> str:
        return self.mail_from or self.contact

    def prepare(self) -> None:
        """Make the folders of the instance. The roots hold embargoed data: nobody but the owner may look."""
        folders = [self.instance, self.keys, self.run, self.outbox, self.instance / "logs"]
        folders += [self.root(kind, realm) for kind in ("area", "archive") for realm in ("open", "protected")]
        for folder in folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def is_safe_address(address: str) -> bool:
    """Whether secrets may be sent to an address: over TLS, or to this machine itself."""
    parts = urlsplit(address)
    own = parts.hostname in ("127.0.0.1", "::1", "localhost")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and own))


_current: Settings | None = None


def settings() -> Settings:
    """The settings of this process, read once."""
    global _current
    if _current is None:
        _current = Settings()
    return _current


def use(chosen: Settings | None) -> None:
    """Replace the settings of this process (tests, and commands with options)."""
    global _current
    _current = chosen
