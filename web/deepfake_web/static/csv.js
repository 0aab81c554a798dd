// A result's frames as CSV: a line for each face of each frame, for spreadsheets.

import { plain } from "./dom.js";

const FRAME = ["file", "index", "time_s"];
const FACE = ["confidence", "track", "x", "y", "width", "height", "cut", "face_confidence"];
// With these a spreadsheet begins a formula (OWASP, CSV Injection), or skips to a cell that does.
const FORMULA_START = /^[=+\-@\t\r\n＝＋－＠]/;

/** One more column for each network, its probability of FAKE; without a face all from `confidence` on is empty. */
export function framesCsv(name, { frames, networks, model }) {
  const names = Object.keys(networks ?? model.architectures);
  const rows = frames.flatMap(({ index, time_s, confidence, faces }) => {
    const frame = [name, index, time_s];
    const rest = faces.map((face) => [confidence, ...ofFace(face), ...names.map((network) => face.networks[network])]);
    return (rest.length ? rest : [Array(FACE.length + names.length).fill(null)]).map((row) => [...frame, ...row]);
  });
  return [[...FRAME, ...FACE, ...names], ...rows].map((row) => `${row.map(cell).join(",")}\n`).join("");
}

const ofFace = ({ track, box, cut, confidence }) => [track, ...box, cut, confidence];

function cell(value) {
  if (typeof value !== "string") return value ?? "";
  const text = plain(value);
  const safe = FORMULA_START.test(text) ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
