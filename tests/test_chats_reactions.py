"""Reactions to messages: counted, taken back, bounded."""

from safeum_home.protocol import MAX_FRAME
from tests.changes_case import ChangeCase, Group, text


class ReactionTests(ChangeCase):
    """One reaction of each account to each message."""

    def test_counted(self) -> None:
        """All are told the totals, and who it was; each is told its own when it reads the chat."""
        self.react(self.bob, "👍")
        [event] = self.changed(self.alice)
        self.assertEqual(event["message"]["reactions"], [{"emoji": "👍", "count": 1}])
        self.assertEqual(event["reacted"], {"account": self.bob.account, "emoji": "👍"})
        self.assertNotIn("mine", event["message"])
        self.react(self.alice, "👍")
        self.assertEqual(self.page(self.alice)[0]["reactions"], [{"emoji": "👍", "count": 2}])
        self.react(self.bob, "🎉")
        totals = [{"emoji": "👍", "count": 1}, {"emoji": "🎉", "count": 1}]
        for client, mine in ((self.alice, "👍"), (self.bob, "🎉")):
            [shown] = self.page(client)
            self.assertEqual((shown["reactions"], shown["mine"]), (totals, mine))
            listed = [each for each in client.call("chat.list")["chats"] if each["chat"] == self.chat]
            self.assertEqual(listed[0]["last"], shown)
        who = self.alice.call("message.reactions", **self.about())
        self.assertCountEqual(
            who["reactions"],
            [{"account": self.alice.account, "emoji": "👍"}, {"account": self.bob.account, "emoji": "🎉"}],
        )

    def test_taken_back(self) -> None:
        """With it goes the last trace of it."""
        self.react(self.bob, "👍")
        self.react(self.bob, None)
        event = self.changed(self.alice)[-1]
        self.assertNotIn("reactions", event["message"])
        self.assertEqual(event["reacted"], {"account": self.bob.account, "emoji": None})
        self.assertEqual(self.world.database.count("reactions"), 0)

    def test_sent_again(self) -> None:
        """The same once more changes nothing, and nobody is told; nor is taking back what is not there."""
        self.react(self.alice, None)
        self.react(self.bob, "❤️")
        self.react(self.bob, "❤")
        self.assertEqual(len(self.changed(self.alice)), 1)
        self.assertEqual(self.page(self.bob)[0]["mine"], "❤️")

    def test_emoji(self) -> None:
        """One emoji, as Unicode recommends them: no text, no two of them, nothing that looks like one."""
        for emoji in ("👍🏽", "🇩🇪", "👨‍👩‍👧", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "☺"):
            self.react(self.bob, emoji)
        for wrong in ("a", "1", "👍👍", "👍\u200d", "🇩", "🏽", "\ufe0f", "<b>", "👍" + "\ufe0f" * 5 + "x"):
            self.refused("invalid_emoji", self.bob, "message.react", **self.about(emoji=wrong))
        for wrong in ("", "x" * 41):
            self.refused("invalid_params", self.bob, "message.react", **self.about(emoji=wrong))

    def test_no_more_than_twenty(self) -> None:
        """A message has up to twenty different reactions; of those that it has, more can be given."""
        people = [self.world.register(f"person-{number:02}") for number in range(21)]
        group = Group(self.world, self.alice, *people)
        sent = self.alice.write(group.id, "a")["id"]
        for number, person in enumerate(people[:20]):
            person.call("message.react", chat=group.id, message=sent, emoji=chr(0x1F34A + number))
        about = {"chat": group.id, "message": sent}
        self.refused("too_many_reactions", people[20], "message.react", **about, emoji="👍")
        people[20].call("message.react", **about, emoji=chr(0x1F34A))
        pages, after = [], None
        while True:
            page = self.alice.call("message.reactions", **about, after=after, limit=8)
            pages.append(len(page["reactions"]))
            after = page["next"]
            if after is None:
                break
        self.assertEqual(pages, [8, 8, 5])

    def test_largest(self) -> None:
        """The longest message, with all that it can bear, fits a frame when it changes."""
        about = {"chat": self.chat, "client_id": "m", "body": text("\u0000" * 8192)}
        sent = self.alice.call("chat.send", **about, reply_to=self.sent, mentions=[self.bob.account])["id"]
        self.react(self.bob, "🏴󠁧󠁢󠁥󠁮󠁧󠁿", sent)
        self.edit(self.alice, "\u0001" * 8192, sent)
        self.assertEqual(len(self.changed(self.bob)), 2)  # the double holds each frame against MAX_FRAME
        room = MAX_FRAME - 8192 * 6
        self.assertGreater(room, 20 * (283 + 3) + 20 * (40 + 32) + 6 * 283 + 1024)

    def test_a_text_is_no_reaction(self) -> None:
        """What looks like reactions inside a text is a text."""
        words = '"reactions":[{"emoji":"👍","count":9}],"mine":"👍"'
        self.alice.write(self.chat, words)
        [_, shown] = self.page(self.bob)
        self.assertEqual(set(shown), {"id", "chat", "sender", "at", "body"})
