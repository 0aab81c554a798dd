"""What a file declares, as people read it: on the page, in the report, in the terminal and in JSON."""

from deepfake_client.media.facts import Credentials, Declaration, Said, Says, Signature, Source

SAYS: dict[Says, str] = {  # what concerns generative AI first: in this order it is told
    "generated": "was made by generative AI",
    "partly_generated": "contains parts made by generative AI",
    "partly_synthetic": "contains synthetic parts",
    "composite": "was put together from several pictures",
    "edited": "was edited",
    "computed": "was made by a program, without generative AI",
    "drawn": "was made by a person with a program",
    "screen": "is a capture of a screen",
    "event": "is a recording of a virtual event",
    "digitised": "was digitised from film or print",
    "captured": "was captured by a camera",
    "origin": "is from",
}
ABOUT_AI: tuple[Says, ...] = ("generated", "partly_generated")
INGREDIENT = "was made from another file, which {what}"
PLACES: dict[Source, str] = {
    "iptc": "in IPTC's digital source type",
    "generator": "in details that generators write",
    "xmp": "in its XMP",
    "tags": "in its tags",
}
ANYONE = "Anyone can write this."
SIGNATURES = {
    "broken": "in Content Credentials that do not hold, so this proves nothing",
    "not_checked": "signed by {signer}, and whether to trust that was not checked: anyone can sign under any name",
    "unknown_signer": "signed by {signer}, not on the trust list {trust_list}: anyone can sign under any name",
    "trusted": "signed by {signer}, on the trust list {trust_list}",
}


def declaration(said: Said, credentials: Credentials) -> Declaration:
    """What is said, with what is known of its signature, in a sentence."""
    signature = _signature(credentials) if said.source == "c2pa" else "none"
    what = SAYS[said.says]
    if said.ingredient:
        what = INGREDIENT.format(what=what)
    if said.by:
        what += f" {quoted(said.by)}" if said.says == "origin" else f", with {quoted(said.by)}"
    if said.at:
        shown = said.at.replace("T", " ").replace("Z", " UTC").replace("+00:00", " UTC")
        what += f", dated {shown}" if said.says == "origin" else f", on {shown}"
    if said.source == "c2pa":
        signed = SIGNATURES[signature].format(
            signer=quoted(credentials.signer) if credentials.signer else "somebody who is not named",
            trust_list=quoted(credentials.trust_list or ""),
        )
        sentence = f"The file says that it {what} ({signed})."
    else:
        sentence = f"The file says {PLACES[said.source]} that it {what}. {ANYONE}"
    return Declaration(
        says=said.says,
        source=said.source,
        by=said.by,
        at=said.at,
        ingredient=said.ingredient,
        signature=signature,
        sentence=sentence,
    )


def quoted(text: str) -> str:
    """A name between quotation marks that it can't close: it may hold a whole sentence."""
    return f"“{text.replace('“', chr(39)).replace('”', chr(39))}”"


def _signature(credentials: Credentials) -> Signature:
    if credentials.state == "unknown_signer":
        return "unknown_signer" if credentials.trust_list else "not_checked"
    return credentials.state
