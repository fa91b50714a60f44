"""The set of those who can be found by number: entries in pages, in the order of their tags."""

from hashlib import blake2b

from safeum_home.protocol.contact_sync import ENTRY, MOST_PAGES, PAGE, TAG, page_of, place


class FindableSet:
    """Pages of entries. An entry that is put twice is there once; so is one that is taken out twice.

    A page holds all tags that begin with the same bits. Where one overflows, all are split in two: so a
    page's number tells nothing but what its tags tell anyway, and unchanged pages keep their versions.
    """

    def __init__(self, page: int = PAGE, most_pages: int = MOST_PAGES) -> None:
        self._page = page * ENTRY
        self._most_pages = most_pages
        self._pages = [b""]
        self._versions: list[bytes | None] = [None]

    def __len__(self) -> int:
        return sum(map(len, self._pages)) // ENTRY

    @property
    def pages(self) -> int:
        """How many pages there are: a power of two."""
        return len(self._pages)

    def put(self, entry: bytes) -> bool:
        """Add an entry; False where there is no room for it, however much the pages were split."""
        while True:
            number = page_of(entry[:TAG], len(self._pages))
            held = self._pages[number]
            at = place(held, entry)
            if held[at : at + ENTRY] == entry:
                return True
            if len(held) < self._page:
                self._replace(number, held[:at] + entry + held[at:])
                return True
            if len(self._pages) * 2 > self._most_pages:
                return False
            self._split()

    def drop(self, entry: bytes) -> None:
        """Take an entry out, if it is there."""
        number = page_of(entry[:TAG], len(self._pages))
        held = self._pages[number]
        at = place(held, entry)
        if held[at : at + ENTRY] == entry:
            self._replace(number, held[:at] + held[at + ENTRY :])

    def entries(self, number: int) -> bytes:
        """What a page holds; raises IndexError."""
        return self._pages[number]

    def version(self, number: int) -> bytes:
        """A hash of what a page holds (6 octets): the same after a restart, another one after a change."""
        version = self._versions[number]
        if version is None:
            version = blake2b(self._pages[number], digest_size=6, person=b"safeum page v1").digest()
            self._versions[number] = version
        return version

    def versions(self) -> list[bytes]:
        """Of all pages. What was hashed once is kept."""
        return [self.version(number) for number in range(len(self._pages))]

    def _replace(self, number: int, entries: bytes) -> None:
        self._pages[number] = entries
        self._versions[number] = None

    def _split(self) -> None:
        count = len(self._pages) * 2
        pages = []
        for number, held in enumerate(self._pages):
            # The first tag of the upper half: the half's number in as many bits as it takes, then zeros.
            border = (2 * number + 1) * 65536 // count
            at = place(held, border.to_bytes(2, "big") + bytes(TAG - 2))
            pages += [held[:at], held[at:]]
        self._pages, self._versions = pages, [None] * count
