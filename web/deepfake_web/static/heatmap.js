// The heatmap of what a face's verdict comes from, drawn over its crop: toward FAKE orange, toward REAL blue.

const FAKE = [213, 94, 0];
const REAL = [0, 114, 178];
// Okabe and Ito's vermillion and blue, which colour-blind people tell apart.

/** The largest |logit| of all heatmaps, which full strength stands for. */
export function strongest(frames) {
  const all = frames
    .flatMap((frame) => frame.faces)
    .flatMap((face) => face.heatmap ?? [])
    .flat();
  return all.reduce((most, each) => Math.max(most, Math.abs(each)), 1e-6);
}

/** A PNG's data URI, a pixel a cell; enlarged by the browser, which blends from cell to cell. */
export function mapImage(rows, most) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [rows[0].length, rows.length];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  for (const [at, value] of rows.flat().entries()) pixels.data.set(coloured(value / most), 4 * at);
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

function coloured(share) {
  return [...(share > 0 ? FAKE : REAL), 255 * Math.min(1, Math.abs(share))];
}
