// Whether the browser may throw away what is stored when it is short of room: it may, until it has
// been asked to keep it. A person asks, by a button: some browsers ask back, which at the start of
// a page nobody would understand; others decide by themselves, by how the page has been used.
const KEPT = 'What is stored here is kept until you delete it.';
const NOT_KEPT = 'This browser keeps what is stored here only while it has room. Some change their mind ' +
                 'once the page has been installed, bookmarked or used for a while: ask again then.';

export async function offer_to_keep(button, say) {
  const { storage } = navigator;
  if (!storage?.persist)
    return;
  const show = kept => {
    button.textContent = kept ? 'Data are kept' : 'Keep data';
    button.disabled = kept;
    button.hidden = false;
  };
  button.onclick = async () => {
    const kept = await storage.persist().catch(() => false);
    show(kept);
    say(kept ? KEPT : NOT_KEPT);
  };
  show(await storage.persisted());
}
