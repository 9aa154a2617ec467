// The theme copies the addresses of versions.json into its menu and its banner as they are.
// Here they are relative to the folder of a version, so that the site may lie anywhere.
const folder = new URL(document.documentElement.dataset.content_root, location.href);
const written = ".version-switcher__menu a, a.pst-button-link-to-stable-version";

new MutationObserver(() => {
  for (const link of document.querySelectorAll(written)) {
    const address = link.getAttribute("href");
    if (address.startsWith("../")) link.href = new URL(address, folder);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
