// Who is signed in, in this tab. Two tabs may be two people, hence sessionStorage.

const KEY = 'fanfare-demo-token';

async function ask(method, path, token, body) {
  const response = await fetch(path, {
    method,
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body ? { 'Content-Type': 'application/json' } : {}),
    },
    body: body ? JSON.stringify(body) : undefined,
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw Object.assign(new Error(answer.error ?? `The server answered ${response.status}.`), { status: response.status });
  }
  return answer;
}

export function savedToken() {
  return sessionStorage.getItem(KEY);
}

/** Signs in under a name; answers {user, token, rooms}. */
export async function signIn(name) {
  const session = await ask('POST', '/demo/sign-in', null, { name });
  sessionStorage.setItem(KEY, session.token);
  return session;
}

/** Goes on with the saved token; null if there is none, or the server does not know it. */
export async function resumeSession() {
  const token = savedToken();
  if (!token) {
    return null;
  }
  try {
    return { token, ...(await ask('GET', '/demo/me', token)) };
  } catch (error) {
    if (error.status === 401) {
      forget();
      return null;
    }
    throw error;
  }
}

export function forget() {
  sessionStorage.removeItem(KEY);
}

export async function signOut(token) {
  forget();
  await ask('POST', '/demo/sign-out', token).catch(() => {});
}

/** Has the server drop every connection of this user. */
export function cut(token) {
  return ask('POST', '/demo/cut', token);
}
