"""Species that research data often come from, with their numbers in the NCBI Taxonomy. Any other name may be typed."""

HUMAN = "Human (Homo sapiens)"
MIXED = "mixed sample"

TAXA: dict[str, int] = {
    HUMAN: 9606,
    "Homo sapiens": 9606,
    "Mus musculus": 10090,
    "Rattus norvegicus": 10116,
    "Danio rerio": 7955,
    "Drosophila melanogaster": 7227,
    "Caenorhabditis elegans": 6239,
    "Saccharomyces cerevisiae": 4932,
    "Schizosaccharomyces pombe": 4896,
    "Escherichia coli": 562,
    "Bacillus subtilis": 1423,
    "Arabidopsis thaliana": 3702,
    "Oryza sativa": 4530,
    "Zea mays": 4577,
    "Triticum aestivum": 4565,
    "Hordeum vulgare": 4513,
    "Glycine max": 3847,
    "Solanum lycopersicum": 4081,
    "Solanum tuberosum": 4113,
    "Nicotiana tabacum": 4097,
    "Nicotiana benthamiana": 4100,
    "Brassica napus": 3708,
    "Brassica rapa": 3711,
    "Gossypium hirsutum": 3635,
    "Populus trichocarpa": 3694,
    "Vitis vinifera": 29760,
    "Medicago truncatula": 3880,
    "Physcomitrium patens": 3218,
    "Chlamydomonas reinhardtii": 3055,
    "Malus domestica": 3750,
    "Macaca mulatta": 9544,
    "Macaca fascicularis": 9541,
    "Pan troglodytes": 9598,
    "Callithrix jacchus": 9483,
    "Sus scrofa": 9823,
    "Bos taurus": 9913,
    "Ovis aries": 9940,
    "Capra hircus": 9925,
    "Equus caballus": 9796,
    "Canis lupus familiaris": 9615,
    "Felis catus": 9685,
    "Oryctolagus cuniculus": 9986,
    "Cavia porcellus": 10141,
    "Mesocricetus auratus": 10036,
    "Cricetulus griseus": 10029,
    "Heterocephalus glaber": 10181,
    "Gallus gallus": 9031,
    "Anas platyrhynchos": 8839,
    "Taeniopygia guttata": 59729,
    "Xenopus laevis": 8355,
    "Xenopus tropicalis": 8364,
    "Ambystoma mexicanum": 8296,
    "Oryzias latipes": 8090,
    "Salmo salar": 8030,
    "Oncorhynchus mykiss": 8022,
    "Cyprinus carpio": 7962,
    "Carassius auratus": 7957,
    "Petromyzon marinus": 7757,
    "Ciona intestinalis": 7719,
    "Branchiostoma floridae": 7739,
    "Strongylocentrotus purpuratus": 7668,
    "Nematostella vectensis": 45351,
    "Hydra vulgaris": 6087,
    "Schmidtea mediterranea": 79327,
    "Apis mellifera": 7460,
    "Bombyx mori": 7091,
    "Tribolium castaneum": 7070,
    "Anopheles gambiae": 7165,
    "Aedes aegypti": 7159,
    "Daphnia pulex": 6669,
    "Plasmodium falciparum": 5833,
    "Toxoplasma gondii": 5811,
    "Trypanosoma brucei": 5691,
    "Leishmania major": 5664,
    "Dictyostelium discoideum": 44689,
    "Tetrahymena thermophila": 5911,
    "Neurospora crassa": 5141,
    "Aspergillus nidulans": 162425,
    "Aspergillus fumigatus": 746128,
    "Candida albicans": 5476,
    "Cryptococcus neoformans": 5207,
    "Magnaporthe oryzae": 318829,
    "Fusarium graminearum": 5518,
    "Mycobacterium tuberculosis": 1773,
    "Staphylococcus aureus": 1280,
    "Streptococcus pneumoniae": 1313,
    "Pseudomonas aeruginosa": 287,
    "Klebsiella pneumoniae": 573,
    "Salmonella enterica": 28901,
    "Vibrio cholerae": 666,
    "Helicobacter pylori": 210,
    "Listeria monocytogenes": 1639,
    "Clostridioides difficile": 1496,
    "Agrobacterium tumefaciens": 358,
    "Synechocystis sp. PCC 6803": 1148,
    "Severe acute respiratory syndrome coronavirus 2": 2697049,
    "Human immunodeficiency virus 1": 11676,
    "human gut metagenome": 408170,
    "soil metagenome": 410658,
    "marine metagenome": 408172,
    "mouse gut metagenome": 410661,
}
_BY_WORD = {name.lower(): number for name, number in TAXA.items()}


def taxon(name: str) -> int | None:
    """The number of a species in the NCBI Taxonomy, where its name is one of those known here."""
    return _BY_WORD.get(" ".join(name.lower().split()))


def suggestions() -> list[tuple[str, str]]:
    """Names for the form, each with its number; several species in a file are a mixed sample."""
    rows = [(name, f"NCBI Taxonomy {number}") for name, number in TAXA.items() if name != "Homo sapiens"]
    return [rows[0], (MIXED, "several species in a file"), *rows[1:]]


_BY_NUMBER = {str(number): name for name, number in reversed(TAXA.items())}


def name_of(number: str) -> str:
    """The name of a number in the NCBI Taxonomy, where it is one of those known here."""
    return _BY_NUMBER.get(number.strip(), "")
