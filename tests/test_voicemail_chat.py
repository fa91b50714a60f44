"""The chat of the voicemail, and what the operator sees of it."""

from twisted.internet.defer import Deferred, succeed

from safeum_home.ids import AccountId
from safeum_home.node.voicemail_metrics import of_voicemail
from safeum_home.ports import Published
from safeum_home.ports.push import Wake
from safeum_home.ports.voicemail import Over
from tests.voicemail_case import (
    SOUND,
    VoicemailCase,
)
from tests.world import Client, Refused


class ChatTests(VoicemailCase):
    """The chat in which it all is."""

    def test_away(self) -> None:
        """A device that was away gets it when it comes back; each device shows it once, and what was read."""
        phone = self.world.login("alice")
        self.world.settle()
        phone.take()
        self.alice.take()
        phone.drop()
        self.leave()
        [here] = self.voicemails()
        [there] = self.voicemails(phone.resume(phone.cursor))
        self.assertEqual(here, there)
        self.assertEqual(self.fetched(there, phone), SOUND)
        chat = self.listed()
        self.assertEqual((chat["kind"], chat["unread"], chat["peer"]), ("voicemail", 1, None))
        phone.call("chat.read", chat=self.voicemail_chat, upto=here["id"])
        self.world.settle()
        self.assertEqual(self.listed()["unread"], 0)
        page = self.alice.call("chat.history", chat=self.voicemail_chat)["messages"]
        self.assertEqual([each["body"]["kind"] for each in page], ["voicemail"])

    def test_wakes(self) -> None:
        """Devices that sleep are woken for it, as for any message of a chat, unless that is muted."""
        told: list[Published] = []
        bus = self.world.services.bus
        publish = bus.publish

        def noted(account: AccountId, event: Published) -> None:
            told.append(event)
            publish(account, event)

        self.patch(bus, "publish", noted)
        self.leave()
        [wake] = [event.wake for event in told if event.wake is not None]
        self.assertEqual((wake.wake, wake.chat), (Wake.MESSAGE, self.voicemail_chat))

    def test_empty(self) -> None:
        """Before the first one there is no chat, and reading it shows nothing."""
        page = self.alice.call("chat.history", chat=self.voicemail_chat)
        self.assertEqual(page, {"messages": [], "more": False})
        kinds = [chat["kind"] for chat in self.alice.call("chat.list")["chats"]]
        self.assertNotIn("voicemail", kinds)

    def test_nobody_else(self) -> None:
        """It is for its account alone, and nobody writes into it or keeps copies of it."""
        self.leave()
        [message] = self.voicemails()
        where = {"chat": message["chat"], "message": message["id"]}
        self.refused("not_found", self.bob, "file.download", **where)
        self.refused("not_found", self.bob, "chat.history", chat=message["chat"])
        about = self.alice.message(message["chat"], "who are you?")
        self.refused("not_a_contact", self.alice, "chat.send", **about)
        self.refused("history_fixed", self.alice, "chat.history.set", chat=message["chat"], enabled=False)
        copy = {"chat": self.chat, "client_id": "copy", "forward": where}
        self.refused("not_forwardable", self.alice, "chat.send", **copy)
        again = {"chat": self.chat, "client_id": "again", "body": message["body"]["sound"]}
        self.refused("not_found", self.alice, "chat.send", **again)
        self.refused("invalid_params", self.alice, "chat.send", **{**again, "body": message["body"]})

    def test_delete(self) -> None:
        """What its owner deletes is gone at once: file, key, and what was told of the call."""
        phone = self.world.login("alice")
        self.leave()
        [message] = self.voicemails()
        keys = self.world.database.count("fleeting_keys")
        path = self.link(self.alice, message["id"], message["chat"])
        self.alice.call("message.delete", chat=message["chat"], message=message["id"])
        self.world.settle()
        [changed] = phone.take("chat.changed")
        self.assertEqual(changed["params"]["message"]["body"]["kind"], "deleted")
        self.assertEqual(self.world.database.count("files"), 0)
        self.assertEqual(self.world.database.count("fleeting_keys"), keys - 1)
        self.assertEqual(self.fetch(path).status, 404)
        self.assertTidy()

    def listed(self) -> dict[str, object]:
        chats = self.alice.call("chat.list")["chats"]
        [found] = [chat for chat in chats if chat["chat"] == self.voicemail_chat]
        return dict(found)

    def refused(self, code: str, client: Client, method: str, **params: object) -> None:
        raised = self.assertRaises(Refused, client.call, method, **params)
        self.assertEqual(raised.code, code)


class OperatorTests(VoicemailCase):
    """What the operator sees of it."""

    def metrics(self) -> dict[str, float]:
        found = of_voicemail(self.world.domain.voicemail)
        return {
            "/".join([metric.name, *sample.labels.values()]): sample.value
            for metric in found
            for sample in metric.samples
        }

    def test_numbers(self) -> None:
        """What became of calls, without a number of anybody."""
        self.leave()
        _, listener = self.take()
        assert listener is not None
        self.answering.calls[-1].listener.ended(Over.REFUSED)
        expected = {
            "voicemail_up": 1,
            "voicemail": 2,
            "voicemail_taken": 2,
            "voicemail_ended/delivered": 1,
            "voicemail_ended/empty": 1,
            "voicemail_ended/lost": 0,
        }
        self.assertEqual(self.metrics(), expected)
        said = self.world.domain.voicemail.report()
        self.assertEqual(said, "answers, 2 now; 2 taken: 1 delivered, 1 empty, 0 lost")

    def test_stop(self) -> None:
        """A node that ends delivers what is being recorded."""
        _, listener = self.take()
        assert listener is not None
        answered = self.answering.calls[0]
        answered.record()

        def stop() -> Deferred[None]:
            answered.listener.ended(Over.LOST)
            return succeed(None)

        self.patch(self.answering, "stop", stop)
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.voicemail.stop()))
        self.assertEqual(len(self.voicemails()), 1)

    def test_stop_with_the_storage_away(self) -> None:
        """It does not wait for ever for a storage that is away."""
        _, listener = self.take()
        assert listener is not None
        self.answering.calls[0].record()
        self.store.failing = True
        self.answering.calls[0].listener.ended(Over.KEY)
        self.successResultOf(Deferred.fromCoroutine(self.world.domain.voicemail.stop()))
        self.assertEqual(self.metrics()["voicemail_ended/lost"], 1)
