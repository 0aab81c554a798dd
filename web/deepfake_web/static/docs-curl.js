// The same call as a command for a POSIX shell.
import { element } from "./dom.js";

const LONGEST = 400; // characters of a body that is written into the command
const UNCOPIED = "The browser does not let this page copy; the command is selected now: copy it with Ctrl+C.";

export function command({ method, url, accept, parts, missing, json }) {
  const words = ["curl"];
  if (accept === "application/x-ndjson") words.push("-N");
  if (accept) words.push("-H", quoted(`Accept: ${accept}`));
  for (const { name, value, file } of parts ?? []) words.push(...(file ? ["-F", quoted(`${name}=@${fileName(file.name)}`)] : field(name, value)));
  for (const name of missing ?? []) words.push("-F", `${name}=@FILE`);
  if (json !== undefined) words.push("-H", quoted("Content-Type: application/json"), ...bodyOf(json));
  if (!parts && json === undefined && method !== "GET") words.push("-X", method);
  return [...words, quoted(url)].join(" ");
}

/** Shows a command, with a button that copies it: { node, show }. */
export function commandView() {
  const code = element("code", {});
  const told = element("span", { class: "small", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      told.textContent = "Copied.";
    } catch {
      // Without HTTPS there is no clipboard, and a reader may have forbidden it.
      getSelection().selectAllChildren(code);
      told.textContent = UNCOPIED;
    }
  };
  return {
    node: element("div", { class: "curl" },
      element("pre", { tabindex: "0", role: "group", "aria-label": "The same call with curl" }, code),
      element("p", {}, element("button", { type: "button", class: "quiet", click: copy }, "Copy curl command"), " ", told)),
    show(text) {
      code.textContent = text;
      told.textContent = "";
    },
  };
}

// After -F, a value that begins with @ or < is a file's name.
const field = (name, value) => [/^[\w.-]*$/.test(value) ? "-F" : "--form-string", quoted(`${name}=${value}`)];
const bodyOf = (json) => (json.length > LONGEST ? ["--data-binary", "@body.json"] : ["--data-binary", quoted(json)]);
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
// curl takes what follows a comma or semicolon for something else, unless the name is quoted once more.
const fileName = (name) => (/[,;"\\]/.test(name) ? `"${name.replace(/["\\]/g, "\\$&")}"` : name);
