"""`psoas audit show`, `review` and `status`: the cards of a knowledge base, signed one by one, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from psoas_cli.output import kb_option, laid_out, write

if TYPE_CHECKING:
    from psoas.audit.cards import Cards
    from psoas.audit.reviews import Ledger
    from psoas.knowledge.model import Review
    from psoas.knowledge.signatures import Signing
    from psoas_cli.dialogue import ErrorStream


@click.command()
@click.argument("name", metavar="ID")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@kb_option
def show(name: str, form: str, kb: Path | None) -> None:
    """Show the card of ID: a rule, question, cause, remedy or disagreement.

    It says in English what the item says, beside its sources; what feeds it and what it feeds; in which worked cases
    it fires, and the two nearest cases, one answer apart, in which it does and does not; when it changed; who signed.
    """
    from psoas.audit.cards import Cards
    from psoas.consultation import Consultant
    from psoas.knowledge.load import load
    from psoas.telling.card import card_document, card_record

    knowledge = load(kb)
    card = Cards(Consultant(knowledge), kb).card(name)
    if form == "json":
        write(None, _json(card_record(card)))
    else:
        write(None, laid_out(card_document(knowledge, card), form, terminal=True))


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
@click.option(
    "--fail-level",
    type=click.Choice(["warning", "error", "never"]),
    default="never",
    show_default=True,
    help="Exit 1 from this on: error for what is stale or disputed, warning also for what is overdue.",
)
@kb_option
def status(form: str, fail_level: str, kb: Path | None) -> None:
    """Tell who has signed what: signed, stale, disputed and overdue, by topic, and what is to be done."""
    from datetime import date

    from psoas.audit.status import signature_flaws, status_record
    from psoas.audit.status import status as found
    from psoas.knowledge.load import load
    from psoas.telling.standing import status_document

    stands = found(load(kb), date.today())
    if form == "json":
        write(None, _json(status_record(stands)))
    else:
        write(None, laid_out(status_document(stands), form, terminal=True))
    wrong = {flaw.severity for flaw in signature_flaws(stands)}
    if ("error" in wrong and fail_level != "never") or ("warning" in wrong and fail_level == "warning"):
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("names", metavar="[ID]...", nargs=-1)
@click.option("--topic", metavar="T", help="Only what stands in this file: red_flags, rules/hips, hips.")
@click.option("--stale", is_flag=True, help="Only what has changed since it was signed.")
@click.option("--by", metavar="NAME", help="Who signs; asked for if missing.")
@click.option("--qualification", metavar="TEXT", help="What qualifies you; asked for if missing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@kb_option
def review(
    names: tuple[str, ...],
    topic: str | None,
    stale: bool,
    by: str | None,
    qualification: str | None,
    form: str,
    kb: Path | None,
) -> None:
    """Go through the cards and sign them: agree, disagree or comment.

    Without an ID: all that you have not reviewed as it stands now, what decides urgency first. Each verdict is
    written to reviews.yaml at once; stop when you like, the next review goes on with the rest.
    """
    from psoas.audit.cards import Cards
    from psoas.audit.reviews import Ledger
    from psoas.consultation import Consultant
    from psoas.knowledge.home import knowledge_home
    from psoas.knowledge.load import load
    from psoas_cli.dialogue import ErrorStream

    with Ledger(kb or knowledge_home()) as ledger:  # before the reviews in it are read
        cards = Cards(Consultant(load(kb)), kb)
        wanted = [cards.find(name) for name in names] if names else list(cards.signings.values())
        session = Session(cards, ledger, ErrorStream(), _of(wanted, topic, stale))
        try:
            session.run(by, qualification, asked_for=bool(names))
        finally:
            if form == "json":
                write(None, _json(session.record()))


def _of(wanted: list[Signing], topic: str | None, stale: bool) -> list[Signing]:
    """Return those of `wanted` that stand in `topic` and, if asked for, are stale. Raises `Unusable` for no topic."""
    from psoas.audit.status import topic_of
    from psoas.faults import Fault, Place, Unusable, quoted, suggest

    if topic is not None:
        topics = {topic_of(signing.item) for signing in wanted}
        chosen = {name for name in topics if topic in (name, name.rpartition("/")[2], name.rpartition("/")[0])}
        if not chosen:
            known = {*topics, *(name.rpartition("/")[2] for name in topics)}
            hint = suggest(topic, known, f"one of: {', '.join(sorted(topics))}")
            raise Unusable([Fault(Place("--topic"), f"no topic is called {quoted(topic)}", hint)])
        wanted = [signing for signing in wanted if topic_of(signing.item) in chosen]
    return [signing for signing in wanted if signing.outdated] if stale else wanted


HELP = (
    ("agree", "what the card says is right, and you put your name to it; also: a, or agree: with a remark"),
    ("disagree", "something is wrong; you are asked what; also: d, or disagree: what is wrong"),
    ("comment", "neither, but something to say; also: c, or comment: what you have to say"),
    ("show ID", "the card of something else, such as one that feeds this"),
    ("skip", "leave this card unsigned; also: s"),
    ("quit", "stop here; what was signed is kept; also: q, or Ctrl-C"),
)
VERDICTS = {"agree": "agree", "a": "agree", "disagree": "disagree", "d": "disagree", "comment": "comment",
            "c": "comment"}  # fmt: skip
ASKS = {"disagree": "What is wrong? One line; Enter leaves the card unsigned",
        "comment": "What do you have to say? One line; Enter leaves the card unsigned"}  # fmt: skip


class Session:
    """One review: cards out, verdicts in, each on disk before the next card."""

    def __init__(self, cards: Cards, ledger: Ledger, terminal: ErrorStream, queue: Iterable[Signing]) -> None:
        self.cards = cards
        self.ledger = ledger
        self.terminal = terminal
        self.queue = list(queue)
        self.left = 0
        self.by = self.qualification = ""
        self.signed: list[Review] = []

    def run(self, by: str | None, qualification: str | None, *, asked_for: bool) -> None:
        """Go through the cards; those `asked_for` by name even if the reviewer has judged them already."""
        try:
            self._introduce(by, qualification)
            if not asked_for:
                self.queue = sorted((s for s in self.queue if not self._mine(s)), key=_order)
            self._go_through()
        except (click.Abort, KeyboardInterrupt) as abort:
            self.terminal.show("\n")
            self._end("Broken off.")
            interrupted = isinstance(abort, KeyboardInterrupt) or isinstance(abort.__context__, KeyboardInterrupt)
            raise click.exceptions.Exit(130 if interrupted else 1) from abort

    def record(self) -> dict[str, Any]:
        """Return what was signed as the JSON object `psoas.review/1`."""
        keys = ("of", "verdict", "by", "qualification", "on", "comment", "digest")
        signed = [{key: getattr(review, key) for key in keys} for review in self.signed]
        return {"format": "psoas.review/1", "file": str(self.ledger.path), "signed": signed, "left": self.left}

    def _introduce(self, by: str | None, qualification: str | None) -> None:
        """Find out who signs; whoever has signed before need not say again what qualifies them."""
        from psoas.knowledge.signatures import who

        self.by = self._asked(by, "Your name, as it is to stand under each verdict")
        before = [r for r in self.cards.knowledge.reviews if who(r.by) == who(self.by)]
        known = max(before, key=lambda r: r.on).qualification if before else None
        self.qualification = self._asked(
            qualification or known, "What qualifies you, such as: physiotherapist, 12 years with athletes"
        )
        self.terminal.tell(
            f"You review as {self.by}, {self.qualification}. Type agree, disagree or comment to each card; help for "
            f"more. Each verdict is written to {self.ledger.path} at once; Ctrl-C stops, and nothing is lost."
        )

    def _asked(self, given: str | None, asks: str) -> str:
        from psoas.audit.reviews import cleaned

        while not (text := cleaned(given or "")):
            given = self.terminal.ask(asks)
        return text

    def _go_through(self) -> None:
        self.left = len(self.queue)
        if not self.queue:
            self.terminal.tell("There is nothing left for you to review here.")
            return
        for number, signing in enumerate(self.queue, 1):
            self.terminal.show("\n")
            self.terminal.tell(f"[card {number} of {len(self.queue)}]")
            self._show(signing.name)
            if not self._converse(signing):
                self._end("Stopped here.")
                return
        self._end("That was the last card.")

    def _end(self, said: str) -> None:
        count = len(self.signed)
        kept = f"{count} verdict{'' if count == 1 else 's'} kept in {self.ledger.path}" if count else "Nothing signed"
        more = f"; {self.left} not reviewed. “psoas audit review” goes on with what is left." if self.left else "."
        self.terminal.tell(f"{said} {kept}{more}")

    def _show(self, name: str) -> None:
        from psoas.telling.card import card_document
        from psoas.telling.plain import to_text

        document = card_document(self.cards.knowledge, self.cards.card(name))
        self.terminal.show(to_text(document, width=self.terminal.width()))

    # one card

    def _converse(self, signing: Signing) -> bool:
        """Read lines until one judges the card, or leaves it; return False for `quit`."""
        mine = [review for review in self._mine(signing) if review.verdict != "comment"]
        if mine:
            self.terminal.tell(_already(mine[0]))
        while True:
            typed = self.terminal.ask("agree, disagree or comment; skip, quit, help").strip()
            word, _, rest = typed.partition(":")
            command = word.strip().lower()
            if command in ("quit", "q"):
                return False
            if command in ("skip", "s"):
                return True
            if command in VERDICTS:
                verdict = VERDICTS[command]
                if mine and verdict != "comment":
                    self.terminal.tell(_already(mine[0]))
                elif self._judge(signing, verdict, rest):
                    return True
            elif command.startswith("show "):
                self._show_other(command.removeprefix("show ").strip())
            elif command in ("help", "?", "h"):
                for name, meaning in HELP:
                    self.terminal.tell(meaning, f"  {name:<10}")
            else:
                self.terminal.tell("That was not understood, and nothing was signed. Type agree, disagree or comment.")

    def _judge(self, signing: Signing, verdict: Any, remark: str) -> bool:
        """Sign the card; return whether it was signed: to disagree, or to comment, takes a line of text."""
        from datetime import date

        from psoas.audit.reviews import cleaned
        from psoas.knowledge.model import Review

        comment = cleaned(remark)
        if not comment and verdict in ASKS:
            comment = cleaned(self.terminal.ask(ASKS[verdict]))
            if not comment:
                self.terminal.tell("Left unsigned.")
                return False
        signed = Review(
            of=signing.name,
            digest=signing.digest,
            verdict=verdict,
            by=self.by,
            qualification=self.qualification,
            on=date.today().isoformat(),
            comment=comment,
        )
        place = self.ledger.append(signed)
        self.signed.append(signed)
        self.left -= 1
        with_ = "on" if verdict == "comment" else "with"
        self.terminal.tell(f"Signed: you {verdict} {with_} {signing.name} ({place}).")
        return True

    def _show_other(self, name: str) -> None:
        from psoas.faults import Unusable

        try:
            self._show(name)
        except Unusable as error:
            self.terminal.tell(str(error))

    def _mine(self, signing: Signing) -> list[Review]:
        """Return what this reviewer has said of the card as it stands now."""
        from psoas.knowledge.signatures import who

        return [review for review in signing.current if who(review.by) == who(self.by)]


def _already(review: Review) -> str:
    return (
        f"You {review.verdict} with this text already, since {review.on}. To change that, take your signature out "
        f"of the file first ({review.place}); a comment can be added at any time."
    )


def _order(signing: Signing) -> tuple[bool, str, str, int]:
    """Return a sorting key: what decides urgency first, then kind by kind as it stands in the files."""
    item = signing.item
    kinds = ["rule", "withholding", "remedy", "disagreement", "conclusion", "contradiction", "finding", "calculated"]
    kind = type(item).__name__.lower()
    return not getattr(item, "level", ""), str(kinds.index(kind)), item.place.file, item.place.line


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"
