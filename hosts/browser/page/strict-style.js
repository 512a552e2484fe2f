// The page's policy allows no style that is written into the document (style-src 'self'), and the
// terminal writes some. Here they become what the policy has no objection to: <style> elements
// sheets of the document, style attributes single properties. Import this before the terminal.
const create = document.createElement;
const set_attribute = Element.prototype.setAttribute;

function stand_in() {
  const element = create.call(document, 'template'), sheet = new CSSStyleSheet();
  const remove = element.remove;
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, 'textContent', { set: css => sheet.replaceSync(css) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(other => other !== sheet);
    remove.call(element);
  };
  return element;
}

document.createElement = (name, options) =>
  name === 'style' ? stand_in() : create.call(document, name, options);

Element.prototype.setAttribute = function (name, value) {
  if (name === 'style')
    this.style.cssText = value;
  else
    set_attribute.call(this, name, value);
};
