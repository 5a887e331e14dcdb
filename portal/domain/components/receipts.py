"""The RECEIPT: what became of each object of a delivery, as clients of ENA's drop-box read it."""

from datetime import UTC, datetime

from lxml import etree

from portal import clock, states
from portal.domain.components.submission_batch import Batch
from portal.messages import Message, say

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
            etree.SubElement(messages, kind).text = str(sentence)
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


def _errors(batch: Batch) -> list[Message]:
    return [*batch.faults, *(item.error for item in batch.sent_items if not item.is_good)]


def _infos(batch: Batch) -> list[Message]:
    infos = list(batch.infos)
    mended = [item for item in batch.items if item.again and item.is_good]
    if mended:
        accessions = ", ".join(item.accession for item in mended[:20])
        text = "{count} objects that waited have loaded too: {accessions}"
        infos.append(say("waiting_objects_loaded", text, count=len(mended), accessions=accessions))
    if batch.actions.validate:
        infos.append(say("nothing_stored", "VALIDATE: nothing was stored."))
    return infos
