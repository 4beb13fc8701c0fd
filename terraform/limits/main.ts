/** `npm run limits`: cost and first bottleneck by tenants and events, as the table of terraform/LIMITS.md. */
import { limitsTable, onboardingLine } from './table.ts';

process.stdout.write(`${limitsTable()}\n\nAn onboarding makes ${onboardingLine()}.\n`);
