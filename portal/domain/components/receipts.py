"""The RECEIPT: what became of each object of a delivery, as clients of ENA's drop-box read it."""

from datetime import UTC, datetime

from lxml import etree

from portal import clock, states
from portal.domain.components.submission_batch import Parcel

STATUS = {"unpublished": "PRIVATE", "live": "PUBLIC", "suppressed": "SUPPRESSED", "withdrawn": "CANCELLED"}


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(parcel: Parcel) -> bytes:
    """The XML that answers a delivery."""
    receipt = etree.Element("RECEIPT", receiptDate=moment(clock.now()))
    if parcel.submission_name:
        receipt.set("submissionFile", parcel.submission_name)
    receipt.set("success", "true" if parcel.success else "false")
    _objects(receipt, parcel)
    _submission(receipt, parcel)
    messages = etree.SubElement(receipt, "MESSAGES")
    for kind, sentences in (("ERROR", _errors(parcel)), ("INFO", _infos(parcel))):
        for sentence in sentences:
            etree.SubElement(messages, kind).text = sentence
    for action in dict.fromkeys(parcel.orders.words or [parcel.orders.action]):
        etree.SubElement(receipt, "ACTIONS").text = action
    document: bytes = etree.tostring(receipt, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return document


def _objects(receipt: etree._Element, parcel: Parcel) -> None:
    dataset = parcel.dataset
    until = dataset.release_date if dataset is not None else parcel.orders.hold
    for item in parcel.sent_items:
        node = etree.SubElement(receipt, item.type)
        if item.is_good and item.accession and not parcel.orders.validate:
            node.set("accession", item.accession)
        if item.alias:
            node.set("alias", item.alias)
        if item.is_good:
            state = (
                item.current.dataset_state if item.current else dataset.state if dataset is not None else states.DRAFT
            )
            node.set("status", STATUS[states.STATUS[state]])
            if until:
                node.set("holdUntilDate", until)
    for accession, word, day in parcel.held:
        node = etree.SubElement(receipt, "TARGET", accession=accession, status=word)
        if day:
            node.set("holdUntilDate", day)


def _submission(receipt: etree._Element, parcel: Parcel) -> None:
    alias = parcel.submission.alias if parcel.submission else ""
    accession = parcel.dataset.accession if parcel.dataset is not None else None
    if accession or alias:
        node = etree.SubElement(receipt, "SUBMISSION")
        if accession:
            node.set("accession", accession)
        if alias:
            node.set("alias", alias)


def _errors(parcel: Parcel) -> list[str]:
    wrong = [f"{item.words}: {item.refusal or item.fault}" for item in parcel.sent_items if not item.is_good]
    return [*parcel.faults, *wrong]


def _infos(parcel: Parcel) -> list[str]:
    infos = [f"{item.words}: {item.info}" for item in parcel.sent_items if item.info]
    mended = [item for item in parcel.items if item.again and item.is_good]
    if mended:
        infos.append(
            f"{len(mended)} objects that waited have loaded too: " + ", ".join(item.accession for item in mended[:20])
        )
    if parcel.orders.validate:
        infos.append("VALIDATE: nothing was stored.")
    return [*parcel.infos, *infos]
