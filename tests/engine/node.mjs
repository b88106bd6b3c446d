// One question a line on stdin, one answer a line on stdout, both JSON.

import { createInterface } from "node:readline";

import { answer } from "./driver.js";

for await (const text of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(text))));
}
