"""The composers Pyzzicato knows: names, years, and where their music lies in the training data."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from pyzzicato.errors import UnknownName

__all__ = ["COMPOSERS", "Composer", "find_composer"]


@dataclass(frozen=True, slots=True)
class Composer:
    """One composer: `id` for files and links, names to show, years, folder of training music."""

    id: str
    name: str
    short: str
    born: int
    died: int
    folder: str

    @property
    def years(self) -> str:
        """The years of life as they are written, for example "1810–1849"."""
        return f"{self.born}–{self.died}"


COMPOSERS: tuple[Composer, ...] = (
    Composer("bach", "Johann Sebastian Bach", "Bach", 1685, 1750, "Bach"),
    Composer("chopin", "Frédéric Chopin", "Chopin", 1810, 1849, "Chopin"),
    Composer("debussy", "Claude Debussy", "Debussy", 1862, 1918, "Debussy"),
    Composer("albeniz", "Isaac Albéniz", "Albéniz", 1860, 1909, "Albeniz"),
    Composer("balakirev", "Mily Balakirev", "Balakirev", 1837, 1910, "Balakirev"),
    Composer("bartok", "Béla Bartók", "Bartók", 1881, 1945, "Bartok"),
    Composer("beethoven", "Ludwig van Beethoven", "Beethoven", 1770, 1827, "Beethoven"),
    Composer("borodin", "Alexander Borodin", "Borodin", 1833, 1887, "Borodin"),
    Composer("brahms", "Johannes Brahms", "Brahms", 1833, 1897, "Brahms"),
    Composer("burgmuller", "Friedrich Burgmüller", "Burgmüller", 1806, 1874, "Burgmuller"),
    Composer("clementi", "Muzio Clementi", "Clementi", 1752, 1832, "Clementi"),
    Composer("cpe_bach", "Carl Philipp Emanuel Bach", "C. P. E. Bach", 1714, 1788, "CPE_Bach"),
    Composer("dvorak", "Antonín Dvořák", "Dvořák", 1841, 1904, "Dvorak"),
    Composer("glinka", "Mikhail Glinka", "Glinka", 1804, 1857, "Glinka"),
    Composer("godowsky", "Leopold Godowsky", "Godowsky", 1870, 1938, "Godowsky"),
    Composer("granados", "Enrique Granados", "Granados", 1867, 1916, "Granados"),
    Composer("grieg", "Edvard Grieg", "Grieg", 1843, 1907, "Grieg"),
    Composer("handel", "George Frideric Handel", "Handel", 1685, 1759, "Handel"),
    Composer("haydn", "Joseph Haydn", "Haydn", 1732, 1809, "Haydn"),
    Composer("jc_bach", "Johann Christian Bach", "J. C. Bach", 1735, 1782, "JC_Bach"),
    Composer("joplin", "Scott Joplin", "Joplin", 1868, 1917, "Joplin"),
    Composer("liszt", "Franz Liszt", "Liszt", 1811, 1886, "Liszt"),
    Composer("medtner", "Nikolai Medtner", "Medtner", 1880, 1951, "Medtner"),
    Composer("mendelssohn", "Felix Mendelssohn", "Mendelssohn", 1809, 1847, "Mendelssohn"),
    Composer("moszkowski", "Moritz Moszkowski", "Moszkowski", 1854, 1925, "Moszkowski"),
    Composer("mozart", "Wolfgang Amadeus Mozart", "Mozart", 1756, 1791, "Mozart"),
    Composer("mussorgsky", "Modest Mussorgsky", "Mussorgsky", 1839, 1881, "Mussorgsky"),
    Composer("prokofiev", "Sergei Prokofiev", "Prokofiev", 1891, 1953, "Prokofiev"),
    Composer("rachmaninoff", "Sergei Rachmaninoff", "Rachmaninoff", 1873, 1943, "Rachmaninoff"),
    Composer("ravel", "Maurice Ravel", "Ravel", 1875, 1937, "Ravel"),
    Composer("satie", "Erik Satie", "Satie", 1866, 1925, "Satie"),
    Composer("scarlatti", "Domenico Scarlatti", "Scarlatti", 1685, 1757, "Scarlatti"),
    Composer("schubert", "Franz Schubert", "Schubert", 1797, 1828, "Schubert"),
    Composer("schumann", "Robert Schumann", "Schumann", 1810, 1856, "Schumann"),
    Composer("scriabin", "Alexander Scriabin", "Scriabin", 1872, 1915, "Scriabin"),
    Composer("sinding", "Christian Sinding", "Sinding", 1856, 1941, "Sinding"),
    Composer("tchaikovsky", "Pyotr Tchaikovsky", "Tchaikovsky", 1840, 1893, "Tchaikovsky"),
    Composer("wf_bach", "Wilhelm Friedemann Bach", "W. F. Bach", 1710, 1784, "WF_Bach"),
)


def _plain(text: str) -> str:
    """`text` without case, accents, spaces and points, so that names can be compared."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in letters if c.isalnum())


_BY_NAME = {
    _plain(text): composer
    for composer in COMPOSERS
    for text in (composer.id, composer.short, composer.name, composer.folder)
}


def find_composer(text: str) -> Composer:
    """The composer whose id, short name or full name is `text`, in any case, accents or not.

    Raises UnknownName where nobody is called that.
    """
    composer = _BY_NAME.get(_plain(text))
    if composer is None:
        known = ", ".join(c.id for c in COMPOSERS)
        raise UnknownName(f"No composer is called “{text[:60]}”; choose one of {known}.")
    return composer
