// What the browser keeps of a visit: a cookie by which it is known again, and its address.

export default function ({ data }) {
  const { cookie, token, link } = JSON.parse(new TextDecoder().decode(data));
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${cookie}=${token}; path=/; max-age=31536000; samesite=lax${secure}`;
  // In place of the last one: a step back leads to another page, and not to the last setting.
  const address = link ? `${location.pathname}?${link}` : location.href;
  if (address !== location.href) history.replaceState(history.state, "", address);
}
