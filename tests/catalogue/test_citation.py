"""A released dataset for other catalogues: DataCite, RO-Crate, and the map for search engines."""

import json
import re

import pytest
from lxml import etree
from pyld import jsonld

from portal import db
from portal.domain.datasets import datasets, publications
from portal.domain.files import accessions
from portal.models import Dataset, File
from portal.queries.catalogue import released_datasets
from tests.conftest import INES, RUTH
from tests.state_guard import states_unguarded

KERNEL = "{http://datacite.org/schema/kernel-4}"
TITLE, TEXT = 'Livers <under> 50% & "more" 肝', "Line one.\nLine <b>two</b> & three."
# Of schema 4: the properties used, the element in each group, its attributes (a star: demanded), and their words.
GROUPS = {
    "creators": ("creator", "", {}),
    "titles": ("title", "titleType", {}),
    "subjects": ("subject", "subjectScheme schemeURI valueURI", {}),
    "contributors": ("contributor", "contributorType*", {"contributorType": {"DataManager"}}),
    "dates": ("date", "dateType*", {"dateType": {"Issued", "Submitted", "Updated"}}),
    "alternateIdentifiers": ("alternateIdentifier", "alternateIdentifierType*", {}),
    "relatedIdentifiers": (
        "relatedIdentifier",
        "relatedIdentifierType* relationType*",
        {"relatedIdentifierType": {"DOI", "PMID"}, "relationType": {"IsCitedBy"}},
    ),
    "sizes": ("size", "", {}),
    "rightsList": ("rights", "rightsURI", {}),
    "descriptions": ("description", "descriptionType*", {"descriptionType": {"Abstract"}}),
}
SINGLE = {
    "identifier": "identifierType*",
    "publisher": "",
    "publicationYear": "",
    "resourceType": "resourceTypeGeneral*",
    "version": "",
}
DEMANDED = {"identifier", "creators", "titles", "publisher", "publicationYear", "resourceType"}


def released(n: int = 1, state: str = "released", **fields) -> str:
    given = {"title": TITLE, "description": TEXT, "species": "Homo sapiens", "access": "open"} | fields
    with states_unguarded():
        made = datasets.create(actor=INES.account, files=[{"name": "run1/a.gz"}], **given)
        made.accession, made.state, made.released_at = accessions.form("OMIX", n), state, 1_770_000_000_000
        made.first_submitted_at = made.released_at
        file = db.session.query(File).filter_by(dataset_id=made.id).one()
        file.state, file.size, file.md5, file.sha256 = "archived", 12, "0" * 32, "1" * 64
        file.archive_path = "data/x/a.gz"
        return made.accession


@pytest.fixture
def ref(app) -> str:
    found = released(data_type="Transcriptomics", investigator="Amara Nwosu")
    with db.transaction():
        dataset = db.session.query(Dataset).one()
        dataset.taxon_id = 9606
        publications.record(dataset, "10.1234/abc.2026.5", actor=RUTH.account)
        publications.record(dataset, "31452104", actor=RUTH.account)
    return found


def attributes(element, names: str) -> None:
    known = {name.rstrip("*") for name in names.split()}
    needed = {name.rstrip("*") for name in names.split() if name.endswith("*")}
    assert needed <= set(element.attrib) <= known, element.tag


def check(root) -> None:
    """What the schema asks for, of what is used here."""
    assert root.tag == f"{KERNEL}resource"
    children = [child.tag.removeprefix(KERNEL) for child in root]
    assert len(children) == len(set(children))
    assert set(children) >= DEMANDED
    for child in root:
        name = child.tag.removeprefix(KERNEL)
        if name in SINGLE:
            attributes(child, SINGLE[name])
            assert child.text.strip() and len(child) == 0
            continue
        element, words, vocabulary = GROUPS[name]
        for one in child:
            assert one.tag == KERNEL + element
            attributes(one, words)
            assert all(one.get(word) in allowed for word, allowed in vocabulary.items())
    for person in root.iterfind(f".//{KERNEL}creator"):
        assert [part.tag.removeprefix(KERNEL) for part in person] == ["creatorName", "affiliation"]
        assert person[0].get("nameType") == "Personal"


def test_datacite_xml_has_the_structure_of_the_schema(client, ref):
    answer = client.get(f"/datasets/{ref}/datacite.xml")
    assert answer.mimetype == "application/vnd.datacite.datacite+xml"
    root = etree.fromstring(answer.data)
    check(root)

    def said(path: str) -> list[str]:
        return [one.text for one in root.iterfind(f"./{KERNEL}" + path.replace("/", f"/{KERNEL}"))]

    assert said("identifier") == [f"http://localhost/{ref}"]
    assert said("creators/creator/creatorName") == ["Amara Nwosu"]
    assert said("contributors/contributor/contributorName") == ["Ines Okafor"]
    assert (said("titles/title"), said("descriptions/description")) == ([TITLE], [TEXT])
    assert (said("publisher"), said("publicationYear")) == (["Northmere Data Archive"], ["2026"])
    assert said("relatedIdentifiers/relatedIdentifier") == ["10.1234/abc.2026.5", "31452104"]
    assert said("alternateIdentifiers/alternateIdentifier") == [ref]
    assert said("sizes/size") == ["1 file", "12 bytes"]


def test_characters_that_xml_forbids_are_left_out(client, app):
    """Text of before they were refused at entry."""
    found = released(title="Livers")
    with db.transaction():
        db.session.query(Dataset).filter_by(accession=found).one().title = "Livers\uffff"
    root = etree.fromstring(client.get(f"/datasets/{found}/datacite.xml").data)

    assert root.findtext(f".//{KERNEL}title") == "Livers"


def test_datacite_json_says_the_same(client, ref):
    answer = client.get(f"/datasets/{ref}/datacite.json")
    known = json.loads(answer.data)
    root = etree.fromstring(client.get(f"/datasets/{ref}/datacite.xml").data)

    assert answer.mimetype == "application/vnd.datacite.datacite+json"
    assert known["types"] == {"resourceTypeGeneral": "Dataset", "resourceType": "Transcriptomics"}
    assert known["schemaVersion"] == "http://datacite.org/schema/kernel-4"
    for group, (element, _words, _vocabulary) in GROUPS.items():
        told = [one.text for one in root.find(KERNEL + group)]
        assert len(told) == len(known[group]) > 0, group
        if group not in ("creators", "contributors", "sizes"):
            assert [one[element] for one in known[group]] == told
    assert known["rightsList"][0]["rightsUri"] == root.find(f".//{KERNEL}rights").get("rightsURI")
    assert known["subjects"][0]["valueUri"].endswith("/9606")


def test_controlled_dataset_says_so_and_names_no_file(client, app):
    found = released(access="controlled")
    known = json.loads(client.get(f"/datasets/{found}/datacite.json").data)
    crate = client.get(f"/datasets/{found}/ro-crate-metadata.json").text

    assert known["rightsList"][0]["rights"] == "restricted access"
    assert known["contributors"] == [], "who sent it made it"
    assert "a.gz" not in crate and "conditionsOfAccess" in crate


def test_landing_page_and_its_links_lead_to_every_form(client, ref):
    page = client.get(f"/datasets/{ref}")
    links = dict(re.findall(r'<([^>]+)>; rel="describedby"; type="([^"]+)"', page.headers["Link"]))
    for name in ("datacite.xml", "datacite.json", "ro-crate-metadata.json", "cite.bib", "metadata.jsonld"):
        assert f'href="/datasets/{ref}/{name}"' in page.text
        address = f"http://localhost/datasets/{ref}/{name}"
        assert client.get(address).mimetype == links[address]


def test_ro_crate_describes_itself_the_dataset_and_its_files(client, ref):
    known = client.get(f"/datasets/{ref}/ro-crate-metadata.json").json
    graph = {one["@id"]: one for one in known["@graph"]}
    own, root = graph["ro-crate-metadata.json"], graph["./"]

    assert known["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert (own["about"], own["conformsTo"]["@id"]) == ({"@id": "./"}, "https://w3id.org/ro/crate/1.1")
    assert (root["@type"], root["name"], root["datePublished"]) == ("Dataset", TITLE, "2026-02-02")
    (part,) = root["hasPart"]
    assert graph[part["@id"]] | {"@id": ""} == {
        "@id": "",
        "@type": "File",
        "name": "run1/a.gz",
        "contentSize": "12",
        "sha256": "1" * 64,
        "encodingFormat": "application/octet-stream",
    }
    assert graph[root["creator"]["@id"]]["name"] == "Amara Nwosu"
    assert all(
        set(reference) == {"@id"}
        for one in known["@graph"]
        for reference in one.values()
        if isinstance(reference, dict)
    )
    assert jsonld.flatten(known | {"@context": {"@vocab": "http://schema.org/"}})


def addresses(client, path: str) -> list[tuple[str, str]]:
    answer = client.get(path)
    assert answer.mimetype == "application/xml"
    root = etree.fromstring(answer.data)
    return [(one[0].text, one[1].text if len(one) > 1 else "") for one in root]


def test_sitemap_names_what_is_released_and_nothing_else(client, app):
    released(1)
    for n, state in enumerate(("draft", "submitted", "approved", "suppressed", "withdrawn"), start=2):
        released(n, state)
    home, (one, changed) = addresses(client, "/sitemap.xml")

    assert (home[0], one) == ("http://localhost/", "http://localhost/datasets/OMIX000001")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", changed)
    assert client.get(one).status_code == 200


def test_sitemap_of_many_is_an_index_of_maps(client, app, monkeypatch):
    monkeypatch.setattr(released_datasets, "RANGE", 2)
    names = [released(n) for n in range(1, 6)]
    maps = addresses(client, "/sitemap.xml")
    listed = [address for path, _changed in maps for address, _day in addresses(client, path)]

    assert len(maps) == 3 and all(changed for _path, changed in maps)
    assert listed == [f"http://localhost/datasets/{name}" for name in names]
    assert all(len(addresses(client, path)) <= 2 for path, _changed in maps)
    assert client.get("/sitemap-9.xml").status_code == 404


def test_robots_are_told_of_the_map_and_kept_from_the_rest(client):
    text = client.get("/robots.txt").text

    assert "Sitemap: http://localhost/sitemap.xml" in text
    assert "Disallow: /share/" in text and "Disallow: /\n" not in text
