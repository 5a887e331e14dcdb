"""The XML of what was typed into forms: SUBMISSION, STUDY, SAMPLE and ANALYSIS, canonical as it is written."""

from typing import Any
from xml.sax.saxutils import escape

from sqlalchemy import Row

from portal.domain.components import xml_documents
from portal.models import Dataset


def element(kind: str, attributes: dict[str, str], inside: str) -> bytes:
    """One component: its start tag with attributes, and what stands inside."""
    head = "".join(f' {name}="{_quoted(value)}"' for name, value in attributes.items())
    return (f"<{kind}{head}>{inside}</{kind}>" if inside else f"<{kind}{head}/>").encode()


def reference(kind: str, accession: str | None) -> str:
    """What an ANALYSIS says of its STUDY or SAMPLE; nothing where there is none."""
    return f'<{kind}_REF accession="{accession}"/>' if accession else ""


def title(text: str) -> str:
    """TITLE, where there is one."""
    return f"<TITLE>{_text(text)}</TITLE>" if text else ""


def _text(text: str) -> str:
    return escape(xml_documents.CONTROLS.sub("", text))


def _quoted(text: str) -> str:
    return escape(xml_documents.CONTROLS.sub("", text), {'"': "&quot;"})


def study(dataset: Dataset) -> str:
    """What a STUDY says: title, abstract, BioProject."""
    descriptor = f"<STUDY_TITLE>{_text(dataset.title)}</STUDY_TITLE>" if dataset.title else ""
    descriptor += '<STUDY_TYPE existing_study_type="Other"/>'
    descriptor += f"<STUDY_ABSTRACT>{_text(dataset.description)}</STUDY_ABSTRACT>" if dataset.description else ""
    link = (
        f"<STUDY_LINKS><STUDY_LINK><XREF_LINK><DB>BioProject</DB><ID>{_text(dataset.bioproject)}</ID></XREF_LINK>"
        "</STUDY_LINK></STUDY_LINKS>"
        if dataset.bioproject
        else ""
    )
    return f"<DESCRIPTOR>{descriptor}</DESCRIPTOR>{link}"


def sample(dataset: Dataset) -> str:
    """What a SAMPLE says: the species."""
    number = f"<TAXON_ID>{dataset.taxon_id}</TAXON_ID>" if dataset.taxon_id else ""
    name = f"<SCIENTIFIC_NAME>{_text(dataset.species)}</SCIENTIFIC_NAME>" if dataset.species else ""
    return title(dataset.species) + (f"<SAMPLE_NAME>{number}{name}</SAMPLE_NAME>" if number or name else "")


def analysis(file: Row[*tuple[Any, ...]], refs: str) -> str:
    """What an ANALYSIS says of its file, a row with the columns that from_form reads; `refs` as of reference()."""
    digest = file.md5 or file.declared_md5
    checksum = f' checksum_method="MD5" checksum="{digest}"' if digest else ""
    facts = (("data type", file.data_type), (f"number of {file.unit}", "" if file.samples is None else file.samples))
    attributes = "".join(
        f"<ANALYSIS_ATTRIBUTE><TAG>{tag}</TAG><VALUE>{_text(str(value))}</VALUE></ANALYSIS_ATTRIBUTE>"
        for tag, value in facts
        if value != ""
    )
    description = f"<DESCRIPTION>{_text(file.description)}</DESCRIPTION>" if file.description else ""
    files = f'<FILES><FILE filename="{_quoted(file.name)}"{checksum}/></FILES>'
    return (
        title(file.title or file.name)
        + refs
        + description
        + files
        + (f"<ANALYSIS_ATTRIBUTES>{attributes}</ANALYSIS_ATTRIBUTES>" if attributes else "")
    )
