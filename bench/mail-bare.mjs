// What Forecourt's delivery is compared with: nodemailer with the same pool and the same message, and nothing around it.
import { createTransport } from 'nodemailer';

/** @typedef {{ port: number, connections: number, jobs: number, count: number, subject: string, html: string, text: string }} Job */

process.on('message', (/** @type {Job} */ { port, connections, jobs, count, subject, html, text }) => {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    pool: true,
    maxConnections: connections,
    maxMessages: 100,
    ignoreTLS: true,
  });
  let next = 0;
  const sendInTurn = async () => {
    while (next < count) {
      const to = `recipient-${next++}@bench.example.com`;
      await transport.sendMail({
        from: { name: 'Lead Management System', address: 'noreply@forecourt.test' },
        to: { name: '', address: to },
        subject,
        html,
        text,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    }
  };
  const began = performance.now();
  Promise.all(Array.from({ length: jobs }, sendInTurn)).then(
    () => {
      process.send?.({ seconds: (performance.now() - began) / 1000 });
      transport.close();
    },
    (error) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
