"""XML as a LIMS of an invented center writes it."""

from tests.depositing import md5

SUBMISSION = """<?xml version="1.0" encoding="UTF-8"?>
<SUBMISSION alias="{alias}" center_name="Northmere Institute">
  <TITLE>Kidney organoids</TITLE>
  <ACTIONS>
    <ACTION><{action}/></ACTION>
    <ACTION><HOLD HoldUntilDate="2027-03-01"/></ACTION>
  </ACTIONS>
</SUBMISSION>
"""
STUDY = """<STUDY_SET>
  <STUDY alias="{alias}">
    <DESCRIPTOR>
      <STUDY_TITLE>{title}</STUDY_TITLE>
      <STUDY_ABSTRACT>Counts of 24 organoids, day 0 to 28.</STUDY_ABSTRACT>
    </DESCRIPTOR>
  </STUDY>
</STUDY_SET>
"""


def submission(alias: str = "batch-1", action: str = "ADD") -> bytes:
    return SUBMISSION.format(alias=alias, action=action).encode()


def study(alias: str = "organoids", title: str = "Kidney organoids over 28 days") -> bytes:
    return STUDY.format(alias=alias, title=title).encode()


def sample(alias: str = "s1", title: str = "Organoid 1") -> str:
    return (
        f'<SAMPLE alias="{alias}"><TITLE>{title}</TITLE><SAMPLE_NAME><TAXON_ID>10090</TAXON_ID>'
        "<SCIENTIFIC_NAME>Mus musculus</SCIENTIFIC_NAME></SAMPLE_NAME></SAMPLE>"
    )


def samples(*parts: str) -> bytes:
    return f"<SAMPLE_SET>\n  {chr(10).join(parts or (sample(),))}\n</SAMPLE_SET>".encode()


def experiment(alias: str = "x1", *, study: str = "organoids", sample: str = "s1") -> str:
    return (
        f'<EXPERIMENT alias="{alias}"><TITLE>Library of {sample}</TITLE><STUDY_REF refname="{study}"/>'
        f'<DESIGN><DESIGN_DESCRIPTION/><SAMPLE_DESCRIPTOR refname="{sample}"/></DESIGN></EXPERIMENT>'
    )


def experiments(*parts: str) -> bytes:
    return f"<EXPERIMENT_SET>{''.join(parts or (experiment(),))}</EXPERIMENT_SET>".encode()


def run(alias: str = "r1", *, experiment: str = "x1", files: dict[str, bytes] | None = None, digest: str = "") -> str:
    named = "".join(
        f'<FILE filename="{name}" filetype="fastq" checksum_method="MD5" checksum="{digest or md5(data)}"/>'
        for name, data in (files if files is not None else {f"{alias}.fastq.gz": alias.encode()}).items()
    )
    return (
        f'<RUN alias="{alias}"><EXPERIMENT_REF refname="{experiment}"/>'
        f"<DATA_BLOCK><FILES>{named}</FILES></DATA_BLOCK></RUN>"
    )


def runs(*parts: str) -> bytes:
    return f"<RUN_SET>{''.join(parts or (run(),))}</RUN_SET>".encode()


def parts(**given: bytes) -> dict[str, bytes]:
    """A whole delivery by part name; `given` takes the place of a part, b"" leaves it out."""
    whole = {
        "SUBMISSION": submission(),
        "STUDY": study(),
        "SAMPLE": samples(),
        "EXPERIMENT": experiments(),
        "RUN": runs(),
    } | given
    return {name: data for name, data in whole.items() if data}
