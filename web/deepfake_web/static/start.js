// The beginning of the upload page: the ways in are open before the rest of it is fetched.
// Without scripts the form posts, and is answered with the report.

import { element, find } from "./dom.js";
import { intake } from "./intake.js";

const TORN = {
  title: "Part of this page is missing",
  detail: "It did not load. Check your connection and that the detector is running, then reload the page.",
};

const early = []; // what came in before the rest was here
let page = {
  add(files) {
    early.push(...files);
    if (early.length)
      find("shown").replaceChildren(
        element(
          "p",
          {},
          "The rest of this page is still loading. Your files will be analysed as soon as it has loaded.",
        ),
      );
  },
  fail: ({ title, detail }) => tell(title, detail),
};
intake(
  (files) => page.add(files),
  (trouble) => page.fail(trouble),
);
import("./page.js").then(
  (rest) => {
    page = rest;
    page.add(early);
  },
  () => tell(TORN.title, TORN.detail),
);

function tell(title, detail) {
  find("shown").replaceChildren(
    element("section", { class: "problem", role: "alert" }, element("h2", {}, title), element("p", {}, detail)),
  );
}
