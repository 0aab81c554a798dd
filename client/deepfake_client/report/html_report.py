"""The report that people keep: one HTML page of one or more results, without script, complete in itself."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from deepfake_client.media.sentences import ABOUT_AI
from deepfake_client.report import drawings, heatmap, words
from deepfake_client.report.plain_text import plain, shown
from deepfake_client.report.row import Row

TOP_FRAMES = 6  # shown as pictures, a file
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Overview:
    """One file's line in the table at the top: `state` is one of words.STATES, None with an `error`; `declared` is what
    the file itself says of generative AI."""

    name: str
    state: str | None
    confidence: float | None
    error: str | None
    declared: Sequence[str] = ()


def html_report(rows: Sequence[Row], stylesheet: str | None = None, back: str | None = None) -> str:
    """The page. With `stylesheet`, an address, its styles come from there: for servers whose policy forbids inline
    ones; without, they are inside. `back` is the address of a link to another analysis."""
    sections = (section(row, number) for number, row in enumerate(rows, 1))
    return "".join(document([overview(row) for row in rows], sections, stylesheet, back))


def overview(row: Row) -> Overview:
    """What the table at the top says of a file."""
    if row.result is None:
        return Overview(shown(row.path), None, None, str(row.error))
    declared = [each.sentence for each in row.result.provenance.declared if each.says in ABOUT_AI]
    return Overview(shown(row.path), words.state(row.result), row.result.confidence, None, declared[:1])


def section(row: Row, number: int) -> str:
    """The part about one file, the `number`th of the page, as HTML."""
    template = _environment().get_template("file.html")
    name, result = shown(row.path), row.result
    if result is None:
        return template.render(name=name, number=number, result=None, error=row.error)
    strongest = heatmap.strongest(result.frames)
    return template.render(
        name=name,
        number=number,
        result=result,
        state=words.state(result),
        bars=drawings.bars(result.contributions or {}),
        logit=sum((result.contributions or {}).values()),
        timeline=drawings.timeline(result) if result.file_type == "video" and result.frames else None,
        top_frames=drawings.weightiest(result.frames, TOP_FRAMES),
        strongest=strongest,
        map_picture=lambda cells: heatmap.map_picture(cells, strongest),
        close_up=lambda frame: drawings.close_up(frame, result.media.width, result.media.height),
    )


def document(
    files: Sequence[Overview], sections: Iterable[str], stylesheet: str | None = None, back: str | None = None
) -> Iterator[str]:
    """The page in pieces, around sections that are HTML already and are taken as they come."""
    yield from (
        _environment()
        .get_template("report.html")
        .generate(
            files=files,
            sections=map(Markup, sections),
            stylesheet=stylesheet,
            css=Markup(report_css()),
            policy=POLICY,
            back=back,
        )
    )


def report_css() -> str:
    """The styles of the page, for a server that sends them on their own."""
    return resources.files("deepfake_client.report").joinpath("templates/report.css").read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("deepfake_client.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    environment.globals["words"] = words
    filters = (_place, _signed, _clock, _instant, _moment, _size)
    environment.filters |= {each.__name__.removeprefix("_"): each for each in filters}
    environment.filters["probability"] = words.probability
    return environment


def _plain(value: object) -> object:
    """Every text of every file: what it is escaped from is HTML by Jinja, and what turns text round here."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _place(percent: float) -> str:
    return f"{percent:.2f}%"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _clock(seconds: float) -> str:
    seconds = round(seconds, 2)
    if seconds < 120:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _instant(seconds: float) -> str:
    seconds = round(seconds, 2)
    minutes, rest = divmod(seconds, 60)
    return f"{seconds:.2f} s" if seconds < 120 else f"{minutes:.0f}:{rest:05.2f}"


def _moment(text: str) -> str:
    return text.replace("T", " ").replace("+00:00", " UTC")


def _size(number: int) -> str:
    return f"{number:,} bytes" if number < 100_000 else f"{number:,} bytes ({number / 1e6:,.1f} MB)"
