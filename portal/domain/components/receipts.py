"""The RECEIPT: what became of each object of a delivery, as clients of ENA's drop-box read it."""

from datetime import UTC, datetime

from lxml import etree

from portal import clock, states
from portal.domain.components.submission_batch import Batch

STATUS = {"unpublished": "PRIVATE", "live": "PUBLIC", "suppressed": "SUPPRESSED", "withdrawn": "CANCELLED"}


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write(batch: Batch) -> bytes:
    """The XML that answers a delivery."""
    receipt = etree.Element("RECEIPT", receiptDate=moment(clock.now()))
    if batch.submission_name:
        receipt.set("submissionFile", batch.submission_name)
    receipt.set("success", "true" if batch.success else "false")
    _objects(receipt, batch)
    _submission(receipt, batch)
    messages = etree.SubElement(receipt, "MESSAGES")
    for kind, sentences in (("ERROR", _errors(batch)), ("INFO", _infos(batch))):
        for sentence in sentences:
            etree.SubElement(messages, kind).text = sentence
    for action in dict.fromkeys(batch.actions.words or [batch.actions.action]):
        etree.SubElement(receipt, "ACTIONS").text = action
    document: bytes = etree.tostring(receipt, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return document


def _objects(receipt: etree._Element, batch: Batch) -> None:
    dataset = batch.dataset
    until = dataset.release_date if dataset is not None else batch.actions.hold
    for item in batch.sent_items:
        node = etree.SubElement(receipt, item.type)
        if item.is_good and item.accession and not batch.actions.validate:
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
    for accession, word, day in batch.held:
        node = etree.SubElement(receipt, "TARGET", accession=accession, status=word)
        if day:
            node.set("holdUntilDate", day)


def _submission(receipt: etree._Element, batch: Batch) -> None:
    alias = batch.submission.alias if batch.submission else ""
    accession = batch.dataset.accession if batch.dataset is not None else None
    if accession or alias:
        node = etree.SubElement(receipt, "SUBMISSION")
        if accession:
            node.set("accession", accession)
        if alias:
            node.set("alias", alias)


def _errors(batch: Batch) -> list[str]:
    wrong = [f"{item.words}: {item.refusal or item.fault}" for item in batch.sent_items if not item.is_good]
    return [*batch.faults, *wrong]


def _infos(batch: Batch) -> list[str]:
    infos = [f"{item.words}: {item.info}" for item in batch.sent_items if item.info]
    mended = [item for item in batch.items if item.again and item.is_good]
    if mended:
        infos.append(
            f"{len(mended)} objects that waited have loaded too: " + ", ".join(item.accession for item in mended[:20])
        )
    if batch.actions.validate:
        infos.append("VALIDATE: nothing was stored.")
    return [*batch.infos, *infos]
