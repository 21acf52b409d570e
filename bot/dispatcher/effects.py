"""What a turn can do to the world: draw, act, edit. Commands and the agent use the same hands.

Nothing privileged happens here: a picture is drawn, an observation is made, and whatever else is asked for becomes a
request that a person decides.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from functools import partial

from bot.dispatcher import answers, diffs, sending
from bot.dispatcher.asking import besides
from bot.dispatcher.cards import APPROVALS, MAIL, approval_message
from bot.dispatcher.observing import observe, planner_of
from bot.dispatcher.parts import Parts
from bot.dispatcher.work import Work
from layers import control, coordination, presentation
from layers.errors import Refused
from layers.failpoint import Point, reach
from layers.presentation import Diagram, Figure
from layers.store import Tx
from layers.transport import StepKind, accept, conversations_of
from layers.types import (
    CLOCK,
    Address,
    Attachment,
    Button,
    ButtonStyle,
    Inbound,
    InboundKind,
    Outbound,
    Person,
    Picture,
    Urgency,
)

SVG = "image/svg+xml"
LONGEST_SOURCE = 1500
"""Characters of a source that stand in a message."""


class Hands:
    """The doings of one turn on behalf of one person. Every method returns what to tell a model; all raise Refused."""

    def __init__(self, parts: Parts, work: Work, person: Person, *, is_agent: bool = False) -> None:
        self._parts = parts
        self._work = work
        self._person = person
        self._is_agent = is_agent
        self._sent = 0
        self._revises: presentation.KeptFigure | None = None

    def revise(self, kept: presentation.KeptFigure) -> None:
        """The next drawing is a further version of `kept`."""
        self._revises = kept

    @property
    def is_revising(self) -> bool:
        """Whether that drawing is still to come."""
        return self._revises is not None

    def _take_revised(self) -> presentation.KeptFigure | None:
        revised, self._revises = self._revises, None
        return revised

    async def draw(self, source: str, title: str = "") -> str:
        """Draw a Mermaid diagram, look at it, and post it for review."""
        async with self._work.working("Drawing", can_stop=True), self._work.stop.over():
            figure = await self._parts.presenter.present(
                Diagram(source=source, title=title, surface=self._work.turn.inbound.address.channel)
            )
        draft = Draft(self._parts, self._work, figure, source, revises=self._take_revised())
        self._work.add(draft.post)
        if figure.verdict.ok:
            return f"posted; {presentation.badge(figure.verdict)}"
        reasons = "; ".join(finding.text for finding in figure.verdict.findings)
        return f"not good enough to post as a picture, its outline was posted instead: {reasons}"

    async def act(self, capability: str, parameters: Mapping[str, str], reason: str = "") -> str:
        """Observe at once, or ask a person."""
        if await control.look_frozen(self._work.store):
            raise Refused("everything is frozen; nothing is run or asked for until an approver sends /unfreeze")
        await asyncio.to_thread(control.refuse_credentials, parameters)
        reason = await asyncio.to_thread(control.scrub, reason)
        action = control.Action(
            capability=capability,
            parameters=parameters,
            requested_by=self._person,
            by_agent=self._is_agent,
            reason=reason,
        )
        rules = await self._parts.store.run(self._parts.rules)
        plan = await planner_of(self._parts).make(action, partial(self._permit, rules))
        if plan.risk == 0:
            return await self._observe(plan, self._permit(rules, plan).policy_sha)
        self._work.add(lambda tx: self._request(tx, plan, reason))
        return f"requested, a person decides about it: {plan.title}; go on without its result"

    async def edit(self, diff: str, summary: str = "", base: str = "", workspace: str = "") -> str:
        """Try a patch on its base and ask a person to apply it, in the first workspace unless another is named."""
        author = "agent" if self._is_agent else self._person.name
        folder = self._parts.workspace(workspace)
        patch = coordination.Patch(workspace=folder, diff=diff, base=base, author=author)
        proposal = await self._parts.coordinator.propose(patch)
        await asyncio.to_thread(diffs.masked, proposal.diff)
        summary = await asyncio.to_thread(control.scrub, summary)
        self._work.add(lambda tx: self.request_patch(tx, proposal, summary))
        return "the patch applies; a person decides whether it is committed"

    async def send(self, conversation: str, content: str, urgency: Urgency = Urgency.NORMAL) -> str:
        """Write into a conversation that the person is in; to anybody else, ask a person first."""
        places = await self._work.store.run(conversations_of, self._person.id)
        plan = sending.plan_of(self._parts.policies, places, conversation, content, urgency)
        if plan is not None:
            self._work.add(lambda tx: self._request(tx, plan, ""))
            return "they have not written here, so a person decides whether it is sent; go on without it"
        self._sent += 1
        key = f"m{self._work.turn.id}.{self._sent}"  # never the turn's own first key: that is its placeholder's here
        address = Address.parse(conversation)
        self._work.add(lambda tx: Outbound(address=address, key=key, text=content, urgency=urgency))
        return "it is sent as soon as the channel's rules allow"

    async def _observe(self, plan: control.Plan, policy: str) -> str:
        """Run a risk-0 capability now, journalled and audited."""
        run_id = f"t{self._work.turn.id}-{secrets.token_hex(4)}"

        async def run() -> str:
            return (await observe(self._parts, run_id, plan, policy)).json

        async with self._work.working(plan.title, can_stop=self._is_agent):  # the word is heeded after it
            outcome = control.Outcome.parse(await self._work.step(StepKind.EFFECT, plan.capability, run))
        details = {"plan": plan.digest, "state": outcome.state.value, "exit_code": outcome.exit_code}
        self._work.attest(lambda tx: control.audit.append(tx, self._person.id, "observe", run_id, details))
        text = answers.observation(plan, outcome)
        if self._is_agent:
            return f"{answers.UNTRUSTED}\n\n{text}"
        self._work.say(text)
        return text

    def _permit(self, rules: control.Rules, plan: control.Plan) -> control.Verdict:
        """Ask the policy before anything is run, a dry run included. Raises Refused."""
        act = control.Act.OBSERVE if plan.risk == 0 else control.Act.REQUEST
        asker = control.Asker(person=self._person.id, by_agent=self._is_agent)
        return control.may(plan, act, asker, rules, time.time())

    def context(self, tx: Tx, reason: str, *, is_drill: bool = False) -> control.Context:
        """Where a request of this turn comes from."""
        turn = self._work.turn
        return control.Context(
            conversation_id=turn.inbound.address.id,
            turn_id=turn.id,
            requested_by=self._person,
            by_agent=self._is_agent,
            rules=self._parts.rules(tx),
            reason=reason,
            expires_after_s=self._parts.approval_ttl_s,
            pressed_at=self._parts.notes if turn.inbound.address.channel == MAIL else "",
            page=APPROVALS,
            besides=besides(tx, turn.inbound, is_drill=is_drill),
        )

    def _request(self, tx: Tx, plan: control.Plan, reason: str) -> Outbound:
        """The card of a new request, made in the transaction that ends the turn."""
        return self._card(tx, self._ask(tx, plan, reason))

    def _ask(self, tx: Tx, plan: control.Plan, reason: str) -> control.Pending:
        reach(Point.REQUEST_BEFORE_COMMIT)
        pending = control.request(tx, plan, self.context(tx, reason))
        self._work.point = Point.REQUEST_AFTER_COMMIT
        return pending

    def _card(self, tx: Tx, pending: control.Pending) -> Outbound:
        approval, address = pending.approval, self._work.turn.inbound.address
        if not pending.is_new:
            words = f"The same is asked for already and waits for a decision (request {approval.id})."
            return Outbound(address=address, key=self._work.key(), text=words)
        if approval.state is control.State.APPROVED:  # by a standing grant: run it as the conversation's next turn
            accept(tx, run_of(approval), has_room=False)
        return approval_message(tx, self._parts, self._work, pending)

    def request_patch(self, tx: Tx, proposal: coordination.Proposal, summary: str) -> Outbound:
        """The card of a patch: its diff above, its plan (the two trees) below."""
        coordination.keep(tx, proposal, self._work.turn.inbound.address.id)
        name = self._parts.name_of(proposal.workspace)
        pending = self._ask(tx, control.patch_plan(str(proposal.workspace), trees(proposal), name), summary)
        coordination.ask_for(tx, proposal.id, pending.approval.id)
        return self._card(tx, pending)


def trees(proposal: coordination.Proposal) -> dict[str, str]:
    """What an approval of a patch binds to, as the parameters of its plan."""
    return {
        "proposal": proposal.id,
        "branch": proposal.branch,
        "base_commit": proposal.base_commit,
        "base_tree": proposal.base_tree,
        "result_tree": proposal.result_tree,
    }


def run_of(approval: control.Approval) -> Inbound:
    """The event that a request which a standing grant approved is to be run."""
    return Inbound(
        address=Address.parse(approval.conversation_id),
        event_id=f"run:{approval.id}",
        person=CLOCK,
        kind=InboundKind.RUN,
        subject=approval.id,
    )


class Draft:
    """A figure on its way to being posted."""

    def __init__(
        self,
        parts: Parts,
        work: Work,
        figure: Figure,
        source: str,
        *,
        revises: presentation.KeptFigure | None = None,
    ) -> None:
        self._parts = parts
        self._work = work
        self._figure = figure
        self._source = source
        self._revises = revises
        self.id = secrets.token_urlsafe(12)
        self._key = work.key()

    def post(self, tx: Tx) -> Outbound:
        """Keep the figure and make its message, in the transaction that ends the turn."""
        figure, turn = self._figure, self._work.turn
        digest = self._parts.keep_media(tx, "image/png", figure.png)
        revised = self._revises
        version = presentation.next_version(tx, revised) if revised else 1
        presentation.keep_figure(
            tx,
            presentation.KeptFigure(
                id=self.id,
                conversation_id=turn.inbound.address.id,
                turn_id=turn.id,
                key=self._key,
                source=self._source,
                media=digest if figure.verdict.ok else None,
                verdict=figure.verdict,
                version=version,
                root=revised.root if revised else "",
            ),
        )
        is_shown = figure.verdict.ok
        size = {"width": figure.width, "height": figure.height}
        dark = self._dark(tx, figure.dark) if is_shown else ""
        picture = Picture(digest=digest, alt=figure.alt, dark=dark, **size)
        return Outbound(
            address=turn.inbound.address,
            key=self._key,
            text=figure_text(figure, self._source, version),
            picture=picture if is_shown else None,
            album=self._album(tx) if is_shown else (),
            files=self._files(tx) if is_shown else (),
            buttons=figure_buttons(self.id, is_shown=is_shown),
        )

    def _album(self, tx: Tx) -> tuple[Picture, ...]:
        """The pages after the first."""
        return tuple(
            Picture(
                digest=self._parts.keep_media(tx, "image/png", page.png),
                alt=page.alt,
                width=page.width,
                height=page.height,
                dark=self._dark(tx, page.dark),
            )
            for page in self._figure.further
        )

    def _dark(self, tx: Tx, png: bytes) -> str:
        return self._parts.keep_media(tx, "image/png", png) if png else ""

    def _files(self, tx: Tx) -> tuple[Attachment, ...]:
        """The whole in one drawing, where it takes several pages."""
        svg = self._figure.svg
        if not svg:
            return ()
        digest = self._parts.keep_media(tx, SVG, svg)
        return (Attachment(digest=digest, name="diagram.svg", content_type=SVG, size_bytes=len(svg)),)


def figure_text(figure: Figure, source: str, version: int = 1) -> str:
    """What stands under a picture: its badge; in place of a bad one why, what it says, and its source."""
    title = f"**{figure.spec.title}**\n\n" if figure.spec.title else ""
    badge = (f"Version {version} · " if version > 1 else "") + presentation.badge(figure.verdict)
    notes = "".join(f"\n\n{presentation.plain(note)}" for note in figure.notes)
    if figure.verdict.ok:
        return title + badge + notes
    shown = source if len(source) <= LONGEST_SOURCE else source[:LONGEST_SOURCE] + "\n… (Source shows the rest)"
    return (
        f"{title}The drawing did not pass, so it is not shown.\n\n{badge}\n\n"
        f"{presentation.outline(figure.spec)}\n\n{answers.fenced(shown, 'mermaid')}"
    )


def figure_buttons(figure_id: str, *, is_shown: bool, is_decided: bool = False) -> tuple[Button, ...]:
    """What can be pressed under a figure; one that is not shown cannot be approved."""

    def button(label: str, verb: str, style: ButtonStyle = ButtonStyle.PLAIN) -> Button:
        return Button(label=label, value=f"d:{verb}:{figure_id}", style=style)

    deciding = (button("Request changes", "change"), button("Redo", "redo"))
    looking = (button("Source", "source"), *((button("Full size", "full"),) if is_shown else ()))
    report = (button("Report a problem", "report"),) if is_shown else ()
    approve = (button("Approve", "approve", ButtonStyle.PRIMARY),) if is_shown else ()
    return (*looking, *report) if is_decided else (*approve, *deciding, *looking, *report)
