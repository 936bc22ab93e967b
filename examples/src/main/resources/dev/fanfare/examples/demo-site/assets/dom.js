// The few DOM helpers that the pages share. Text goes in as text, never as markup.

/** Finds an element that must be there. */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!element) {
    throw new Error(`no ${selector} on this page`);
  }
  return element;
}

/** Makes an element: make('li', { class: 'note', dataset: { offset: 5 } }, 'text', child …). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'dataset') {
      Object.assign(element.dataset, value);
    } else if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else if (value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** Writes a time of day. */
export function timeOfDay(millis) {
  return clock.format(new Date(millis));
}

const NEAR_END = 80; // pixels

/** Tells whether the end of what scrolls is in sight, or nearly. */
export function isAtEnd(scroll) {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;
}

/** Gives each name its own hue, always the same. */
export function hue(name) {
  let sum = 7;
  for (const character of name) {
    sum = (sum * 31 + character.codePointAt(0)) % 360;
  }
  return sum;
}

/** Makes the round mark with a name's first letter. */
export function avatar(name) {
  const mark = make('span', { class: 'avatar', 'aria-hidden': 'true' }, (name[0] ?? '?').toUpperCase());
  mark.style.setProperty('--hue', hue(name));
  return mark;
}

/** Turns what a publication holds into an author and a text, whoever published it. */
export function readMessage(data) {
  if (data !== null && typeof data === 'object' && typeof data.text === 'string') {
    return { user: typeof data.user === 'string' && data.user ? data.user : 'somebody', text: data.text };
  }
  return { user: 'somebody', text: typeof data === 'string' ? data : JSON.stringify(data) };
}

/** Gives each command on the page a button that copies it, or what its data-copy says. */
export function offerCopies() {
  for (const command of document.querySelectorAll('.command')) {
    const text = find('code', command);
    const button = make('button', { type: 'button', class: 'button quiet copy' }, 'Copy');
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(text.dataset.copy ?? text.textContent);
      button.textContent = 'Copied';
      setTimeout(() => (button.textContent = 'Copy'), 1500);
    });
    command.append(button);
  }
}
