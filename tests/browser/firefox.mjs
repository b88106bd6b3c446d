// Opens a page in Firefox at several sizes, does what a learner does there, and says what it saw.
//
//     node firefox.mjs FIREFOX URL PLACE
//
// PLACE is the selector of the lab. One line of JSON for each size.

import puppeteer from "puppeteer-core";

const SIZES = [
  { width: 1400, height: 1000 },
  { width: 390, height: 844 },
];
const [executablePath, url, place] = process.argv.slice(2);

const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
for (const size of SIZES) {
  const page = await browser.newPage();
  const asked = [];
  const errors = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("requestfailed", (request) => errors.push(`failed: ${request.url()}`));
  await page.setViewport(size);
  await page.goto(url);
  await page.waitForSelector(`${place} .gl-lab canvas[data-drawn]`);

  const text = (part) => page.$eval(`${place} ${part}`, (element) => element.textContent);
  const first = await text(".gl-text");
  await page.focus(`${place} .gl-play`);
  await page.keyboard.press(" ");
  await page.waitForFunction(
    (where) => Number(document.querySelector(where).textContent.split(" ").at(-1)) > 50,
    {},
    `${place} .gl-count`,
  );
  await page.keyboard.press(" ");
  const label = await text(".gl-play");
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  const error = await text(".gl-error");
  console.log(JSON.stringify({ first, label, wide, error, asked, errors, width: size.width }));
  await page.close();
}
await browser.close();
