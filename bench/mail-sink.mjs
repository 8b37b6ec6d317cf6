// A mail server that takes everything and keeps nothing, as fast as it can, in a process of its own. Tells its parent its port,
// and when it has as many messages as it was told to wait for.
import { createServer } from 'node:net';

/** @type {{ wanted: number, taken: number }} */
const round = { wanted: 0, taken: 0 };

const server = createServer({ noDelay: true }, (socket) => {
  let isInMessage = false;
  let rest = '';
  socket.on('error', () => undefined);
  socket.write('220 sink ESMTP\r\n');
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    for (;;) {
      if (isInMessage) {
        const end = rest.indexOf('\r\n.\r\n');
        if (end < 0) {
          // only the end of the message matters, which may come in two parts
          rest = rest.slice(-4);
          return;
        }
        rest = rest.slice(end + 5);
        isInMessage = false;
        socket.write('250 taken\r\n');
        round.taken += 1;
        if (round.taken === round.wanted) process.send?.({ taken: round.taken });
        continue;
      }
      const end = rest.indexOf('\r\n');
      if (end < 0) return;
      const command = rest.slice(0, 4).toUpperCase();
      rest = rest.slice(end + 2);
      if (command === 'DATA') isInMessage = true;
      socket.write(command === 'DATA' ? '354 go on\r\n' : command === 'QUIT' ? '221 bye\r\n' : '250 sink\r\n');
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
process.on('message', (/** @type {{ wanted: number }} */ { wanted }) => {
  Object.assign(round, { wanted, taken: 0 });
  process.send?.({ ready: true });
});
process.on('disconnect', () => process.exit());
