/** Made by `npm run client` from the OpenAPI document; do not edit. */
export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Alive. */
        get: operations["isAlive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Ready to take a call. */
        get: operations["isReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Prometheus figures. */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document, to read. */
        get: operations["getDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Calls, newest first. */
        get: operations["listCalls"];
        put?: never;
        /** Dial out. */
        post: operations["dial"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One call. */
        get: operations["getCall"];
        put?: never;
        post?: never;
        /** Erase all that is kept of an ended call. */
        delete: operations["eraseCall"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its events. */
        get: operations["getTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/transcript": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was said. */
        get: operations["getTranscript"];
        put?: never;
        post?: never;
        /** Erase what was said and typed. */
        delete: operations["eraseTranscript"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/recording": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was heard: stereo, left the caller, right the agent. */
        get: operations["getRecording"];
        put?: never;
        post?: never;
        /** Erase the recording. */
        delete: operations["eraseRecording"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/voicemail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A message that the caller left: mono. */
        get: operations["getVoicemail"];
        put?: never;
        post?: never;
        /** Erase the messages that the caller left. */
        delete: operations["eraseVoicemail"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/sip": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its SIP messages, secrets masked. */
        get: operations["getSip"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/quality": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its loss, jitter and opinion score over time. */
        get: operations["getQuality"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/pcap": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Its SIP messages and, once it has ended, its newest RTP packets, as a capture file. */
        get: operations["getPcap"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/calls/{id}/actions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Steer a live call. */
        post: operations["act"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dialplan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The rules in use. */
        get: operations["getDialplan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dialplan/route": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which rule a call would take, and why not the ones before it. */
        get: operations["routeCall"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/dialplan/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the files of the dialplan are right, as they lie there now. */
        get: operations["checkDialplan"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Calls that were ordered and are not placed yet. */
        get: operations["listWaiting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/waiting/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take one back. */
        delete: operations["cancelWaiting"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of each event at each receiver, the newest first. */
        get: operations["listDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhooks/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send again what was delivered or given up. */
        post: operations["replayDeliveries"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/call-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A token of one minute for the page, and the ICE servers for its call. */
        post: operations["createCallToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Readiness, and the state of SIP: listening places, registrations at trunks, softphones. */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Events as they happen (server-sent); with Last-Event-ID, what was missed first. */
        get: operations["streamEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/listen/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Hear both sides of a live call by WHIP; heard by neither. */
        post: operations["listenIn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/whip/{number}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Place a call by WHIP (RFC 9725). */
        post: operations["placeWebCall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/whip/{number}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Hang up. */
        delete: operations["hangUpWebCall"];
        options?: never;
        head?: never;
        /** Candidates found later, or ICE anew (trickle ICE, RFC 8840). */
        patch: operations["addCandidates"];
        trace?: never;
    };
}
export interface webhooks {
    "call.started": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "call.started";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            /** @enum {string} */
                            direction: "inbound" | "outbound";
                            /** @enum {string} */
                            transport: "sip" | "webrtc";
                            from: string;
                            to: string;
                            trunk?: string;
                            user?: string;
                            identity?: {
                                /** @enum {string} */
                                status: "valid" | "invalid" | "absent";
                                /** @enum {string} */
                                attestation?: "A" | "B" | "C";
                                originId?: string;
                                reason?: string;
                            };
                            sipCallId?: string;
                            headers?: {
                                [key: string]: string;
                            };
                            metadata?: {
                                [key: string]: unknown;
                            };
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "call.ringing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "call.ringing";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: Record<string, never>;
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "call.answered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "call.answered";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            action?: string;
                            trunk?: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "call.ended": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "call.ended";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            /** @enum {string} */
                            cause: "caller-hangup" | "agent-hangup" | "hangup-requested" | "finished" | "transferred" | "cancelled" | "rejected" | "busy" | "no-answer" | "unreachable" | "media-timeout" | "media-failed" | "engine-failed" | "idle" | "time-limit" | "machine" | "shutdown" | "internal" | "lost";
                            sipStatus?: number;
                            sipReason?: string;
                            durationMs: number;
                            quality?: {
                                packetsSent: number;
                                packetsReceived: number;
                                packetsLost: number;
                                packetsLate: number;
                                jitterMs: number;
                                concealedMs: number;
                                paceP99Ms?: number;
                                turnGapsMs: number[];
                                interruptions: number;
                                lostShare?: number;
                                roundTripMs?: number;
                                mos?: number;
                                codec?: string;
                                /** @enum {string} */
                                protection?: "none" | "sdes" | "dtls";
                                remote?: {
                                    packetsLost: number;
                                    lostShare: number;
                                    jitterMs: number;
                                };
                            };
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "turn.user": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "turn.user";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            turn: number;
                            text: string;
                            how?: {
                                /** @enum {string} */
                                sound: "speech" | "cough" | "music" | "noise" | "silence";
                                /** @enum {string} */
                                intonation?: "statement" | "question";
                                /** @enum {string} */
                                manner?: "calm" | "hurried" | "loud";
                            };
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "turn.agent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "turn.agent";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            turn: number;
                            text: string;
                            interrupted: boolean;
                            citations?: {
                                file: string;
                                heading?: string;
                                passage: string;
                            }[];
                            gapMs?: number;
                            playedMs?: number;
                            stages?: {
                                [key: string]: number;
                            };
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "ask.answered": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "ask.answered";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            askId?: string;
                            /** @enum {string} */
                            reason: "speech" | "digits" | "no-input" | "no-match" | "call-ended";
                            text?: string;
                            digits?: string;
                            choice?: string;
                            attempts: number;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "turn.interrupted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "turn.interrupted";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            turn: number;
                            heardText: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tool.called": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "tool.called";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            toolCallId: string;
                            name: string;
                            /** @enum {string} */
                            by?: "application" | "http" | "mcp";
                            said: string;
                            arguments?: {
                                [key: string]: unknown;
                            };
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "amd.result": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "amd.result";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            /** @enum {string} */
                            answeredBy: "human" | "machine" | "unknown";
                            /** @enum {string} */
                            because: "short-greeting" | "long-greeting" | "beep" | "words" | "intercept" | "fax" | "silence" | "time-limit";
                            afterMs: number;
                            greetingMs?: number;
                            /** @enum {string} */
                            records?: "beep" | "silence";
                            beepHz?: number;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "voicemail.left": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "voicemail.left";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            durationMs: number;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "voicemail.received": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "voicemail.received";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            durationMs: number;
                            path: string;
                            mailbox?: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "recording.ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "recording.ready";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            durationMs: number;
                            path: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "call.erased": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "call.erased";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            /** @enum {string} */
                            what: "call" | "transcript" | "recording" | "voicemail";
                            /** @enum {string} */
                            by: "order" | "age";
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "dtmf.received": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "dtmf.received";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            digit: string;
                            durationMs: number;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "agent.handover": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "agent.handover";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            to?: string;
                            summary?: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "transfer.started": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "transfer.started";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            to: string;
                            /** @enum {string} */
                            by: "us" | "far-end";
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "transfer.completed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "transfer.completed";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            to: string;
                            /** @enum {string} */
                            way: "refer" | "bridge" | "conference" | "replaced";
                            confirmed: boolean;
                            peerCallId?: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "transfer.failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "transfer.failed";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            to: string;
                            sipStatus?: number;
                            /** @enum {string} */
                            cause?: "caller-hangup" | "agent-hangup" | "hangup-requested" | "finished" | "transferred" | "cancelled" | "rejected" | "busy" | "no-answer" | "unreachable" | "media-timeout" | "media-failed" | "engine-failed" | "idle" | "time-limit" | "machine" | "shutdown" | "internal" | "lost";
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "queue.joined": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "queue.joined";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            queue: string;
                            position: number;
                            waiting: number;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "queue.left": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "queue.left";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            queue: string;
                            /** @enum {string} */
                            reason: "bridged" | "hangup" | "timeout" | "full" | "redirected" | "not-allowed";
                            waitMs: number;
                            position?: number;
                            peerCallId?: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "hold.started": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "hold.started";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            /** @enum {string} */
                            by: "us" | "far-end";
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "hold.ended": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "hold.ended";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            /** @enum {string} */
                            by: "us" | "far-end";
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    error: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": {
                        id: string;
                        /** @constant */
                        type: "error";
                        callId: string;
                        sequence: number;
                        /** Format: date-time */
                        occurredAt: string;
                        data: {
                            code: string;
                            message: string;
                            fix?: string;
                        };
                    };
                };
            };
            responses: {
                /** @description Taken. May carry actions. */
                "2XX": {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": {
                            actions?: components["schemas"]["Action"][];
                        };
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        Call: {
            id: string;
            /** @enum {string} */
            direction: "inbound" | "outbound";
            /** @enum {string} */
            transport: "sip" | "webrtc";
            from: string;
            to: string;
            trunk?: string;
            user?: string;
            identity?: {
                /** @enum {string} */
                status: "valid" | "invalid" | "absent";
                /** @enum {string} */
                attestation?: "A" | "B" | "C";
                originId?: string;
                reason?: string;
            };
            sipCallId?: string;
            node?: string;
            action?: string;
            /** @enum {string} */
            answeredBy?: "human" | "machine" | "unknown";
            /** @enum {string} */
            state: "trying" | "ringing" | "answered" | "ending" | "ended";
            /** Format: date-time */
            startedAt: string;
            /** Format: date-time */
            answeredAt?: string;
            /** Format: date-time */
            endedAt?: string;
            /** @enum {string} */
            cause?: "caller-hangup" | "agent-hangup" | "hangup-requested" | "finished" | "transferred" | "cancelled" | "rejected" | "busy" | "no-answer" | "unreachable" | "media-timeout" | "media-failed" | "engine-failed" | "idle" | "time-limit" | "machine" | "shutdown" | "internal" | "lost";
            sipStatus?: number;
            sipReason?: string;
            quality?: {
                packetsSent: number;
                packetsReceived: number;
                packetsLost: number;
                packetsLate: number;
                jitterMs: number;
                concealedMs: number;
                paceP99Ms?: number;
                turnGapsMs: number[];
                interruptions: number;
                lostShare?: number;
                roundTripMs?: number;
                mos?: number;
                codec?: string;
                /** @enum {string} */
                protection?: "none" | "sdes" | "dtls";
                remote?: {
                    packetsLost: number;
                    lostShare: number;
                    jitterMs: number;
                };
            };
            metadata?: {
                [key: string]: unknown;
            };
        };
        Turn: {
            turn: number;
            /** @enum {string} */
            role: "user" | "agent";
            text: string;
            /** Format: date-time */
            at: string;
            interrupted?: boolean;
            citations?: {
                file: string;
                heading?: string;
                passage: string;
            }[];
            how?: {
                /** @enum {string} */
                sound: "speech" | "cough" | "music" | "noise" | "silence";
                /** @enum {string} */
                intonation?: "statement" | "question";
                /** @enum {string} */
                manner?: "calm" | "hurried" | "loud";
            };
        };
        WaitingCall: {
            id: string;
            to: string;
            attempt: number;
            /** Format: date-time */
            at: string;
            metadata?: {
                [key: string]: unknown;
            };
            lastCallId?: string;
            /** @enum {string} */
            lastCause?: "caller-hangup" | "agent-hangup" | "hangup-requested" | "finished" | "transferred" | "cancelled" | "rejected" | "busy" | "no-answer" | "unreachable" | "media-timeout" | "media-failed" | "engine-failed" | "idle" | "time-limit" | "machine" | "shutdown" | "internal" | "lost";
        };
        Dial: {
            to: string;
            from?: string;
            trunk?: string;
            /** @description Name of a persona. */
            agent?: string;
            /** @description A number: the call gets what its route says. */
            dialplan?: string;
            headers?: {
                [key: string]: string;
            };
            metadata?: {
                [key: string]: unknown;
            };
            /** @default 60 */
            ringSeconds?: number;
            /** @description Further attempts when nobody answers. */
            retry?: {
                /**
                 * @description In all, the first one too.
                 * @default 3
                 */
                attempts?: number;
                /**
                 * @description Before the second attempt, the third …; the last one holds for those behind it.
                 * @default [
                 *       300,
                 *       1800,
                 *       7200
                 *     ]
                 */
                afterSeconds?: number[];
                /**
                 * @default [
                 *       "busy",
                 *       "no-answer",
                 *       "unreachable"
                 *     ]
                 */
                on?: ("busy" | "no-answer" | "unreachable" | "machine")[];
            };
            /**
             * @description Outside of outbound.hours.
             * @default refuse
             * @enum {string}
             */
            whenClosed?: "refuse" | "wait";
            /** @description Find out whether a person or a machine answers. */
            amd?: boolean | {
                /**
                 * @description continue, as with a person, if left out; message with a message.
                 * @enum {string}
                 */
                onMachine?: "continue" | "hangup" | "message";
                /** @description Said after the beep; then the call is ended. */
                message?: string;
            };
        } & (unknown | unknown);
        Action: {
            /** @constant */
            type: "say";
            text: string;
            interruptible?: boolean;
        } | {
            /** @constant */
            type: "ask";
            text: string;
            askId?: string;
            /**
             * @default anything
             * @enum {string}
             */
            expect?: "anything" | "yes-no" | "choice" | "digits";
            choices?: {
                value: string;
                /** @default [] */
                phrases?: string[];
                key?: string;
            }[];
            /** @default 1 */
            minDigits?: number;
            /** @default 32 */
            maxDigits?: number;
            /** @default # */
            endKey?: string;
            /** @default 6 */
            timeoutSeconds?: number;
            /** @default 2 */
            attempts?: number;
            again?: string;
            /** @default true */
            bargeIn?: boolean;
            /** @default false */
            secure?: boolean;
            webhook?: {
                /** Format: uri */
                url: string;
                /** @default 3000 */
                timeoutMs?: number;
                secret?: string;
            };
        } | {
            /** @constant */
            type: "user_text";
            text: string;
        } | {
            /** @constant */
            type: "stop";
        } | {
            /** @constant */
            type: "dtmf";
            digits: string;
        } | {
            /** @constant */
            type: "mute";
            /** @default true */
            on?: boolean;
        } | {
            /** @constant */
            type: "hold";
        } | {
            /** @constant */
            type: "resume";
        } | ({
            /** @constant */
            type: "transfer";
            to?: string;
            callId?: string;
            trunk?: string;
            from?: string;
            /**
             * @default auto
             * @enum {string}
             */
            mode?: "auto" | "refer" | "bridge" | "warm" | "conference";
            briefing?: string;
            /** @default 30 */
            ringSeconds?: number;
        } & (unknown | unknown)) | ({
            /** @constant */
            type: "tool_result";
            toolCallId: string;
            text?: string;
            error?: string;
        } & (unknown | unknown)) | {
            /** @constant */
            type: "hangup";
        };
        Delivery: {
            eventId: string;
            callId: string;
            sequence: number;
            /** @enum {string} */
            type: "call.started" | "call.ringing" | "call.answered" | "call.ended" | "turn.user" | "turn.agent" | "ask.answered" | "turn.interrupted" | "tool.called" | "amd.result" | "voicemail.left" | "voicemail.received" | "recording.ready" | "call.erased" | "dtmf.received" | "agent.handover" | "transfer.started" | "transfer.completed" | "transfer.failed" | "queue.joined" | "queue.left" | "hold.started" | "hold.ended" | "error";
            /** Format: date-time */
            occurredAt: string;
            endpoint: string;
            /** @enum {string} */
            state: "waiting" | "delivered" | "given-up" | "gone";
            attempts: number;
            /** Format: date-time */
            firstAttemptAt?: string;
            /** Format: date-time */
            nextAttemptAt?: string;
            lastStatus?: number;
            lastError?: string;
            /** Format: date-time */
            settledAt?: string;
        };
        Replay: {
            eventIds?: string[];
            callId?: string;
            /**
             * @description What became of them: given-up for dead letters.
             * @enum {string}
             */
            state?: "delivered" | "given-up" | "gone";
            /** Format: date-time */
            since?: string;
            /** Format: date-time */
            until?: string;
        };
        Event: {
            id: string;
            /** @constant */
            type: "call.started";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                /** @enum {string} */
                direction: "inbound" | "outbound";
                /** @enum {string} */
                transport: "sip" | "webrtc";
                from: string;
                to: string;
                trunk?: string;
                user?: string;
                identity?: {
                    /** @enum {string} */
                    status: "valid" | "invalid" | "absent";
                    /** @enum {string} */
                    attestation?: "A" | "B" | "C";
                    originId?: string;
                    reason?: string;
                };
                sipCallId?: string;
                headers?: {
                    [key: string]: string;
                };
                metadata?: {
                    [key: string]: unknown;
                };
            };
        } | {
            id: string;
            /** @constant */
            type: "call.ringing";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: Record<string, never>;
        } | {
            id: string;
            /** @constant */
            type: "call.answered";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                action?: string;
                trunk?: string;
            };
        } | {
            id: string;
            /** @constant */
            type: "call.ended";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                /** @enum {string} */
                cause: "caller-hangup" | "agent-hangup" | "hangup-requested" | "finished" | "transferred" | "cancelled" | "rejected" | "busy" | "no-answer" | "unreachable" | "media-timeout" | "media-failed" | "engine-failed" | "idle" | "time-limit" | "machine" | "shutdown" | "internal" | "lost";
                sipStatus?: number;
                sipReason?: string;
                durationMs: number;
                quality?: {
                    packetsSent: number;
                    packetsReceived: number;
                    packetsLost: number;
                    packetsLate: number;
                    jitterMs: number;
                    concealedMs: number;
                    paceP99Ms?: number;
                    turnGapsMs: number[];
                    interruptions: number;
                    lostShare?: number;
                    roundTripMs?: number;
                    mos?: number;
                    codec?: string;
                    /** @enum {string} */
                    protection?: "none" | "sdes" | "dtls";
                    remote?: {
                        packetsLost: number;
                        lostShare: number;
                        jitterMs: number;
                    };
                };
            };
        } | {
            id: string;
            /** @constant */
            type: "turn.user";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                turn: number;
                text: string;
                how?: {
                    /** @enum {string} */
                    sound: "speech" | "cough" | "music" | "noise" | "silence";
                    /** @enum {string} */
                    intonation?: "statement" | "question";
                    /** @enum {string} */
                    manner?: "calm" | "hurried" | "loud";
                };
            };
        } | {
            id: string;
            /** @constant */
            type: "turn.agent";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                turn: number;
                text: string;
                interrupted: boolean;
                citations?: {
                    file: string;
                    heading?: string;
                    passage: string;
                }[];
                gapMs?: number;
                playedMs?: number;
                stages?: {
                    [key: string]: number;
                };
            };
        } | {
            id: string;
            /** @constant */
            type: "ask.answered";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                askId?: string;
                /** @enum {string} */
                reason: "speech" | "digits" | "no-input" | "no-match" | "call-ended";
                text?: string;
                digits?: string;
                choice?: string;
                attempts: number;
            };
        } | {
            id: string;
            /** @constant */
            type: "turn.interrupted";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                turn: number;
                heardText: string;
            };
        } | {
            id: string;
            /** @constant */
            type: "tool.called";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                toolCallId: string;
                name: string;
                /** @enum {string} */
                by?: "application" | "http" | "mcp";
                said: string;
                arguments?: {
                    [key: string]: unknown;
                };
            };
        } | {
            id: string;
            /** @constant */
            type: "amd.result";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                /** @enum {string} */
                answeredBy: "human" | "machine" | "unknown";
                /** @enum {string} */
                because: "short-greeting" | "long-greeting" | "beep" | "words" | "intercept" | "fax" | "silence" | "time-limit";
                afterMs: number;
                greetingMs?: number;
                /** @enum {string} */
                records?: "beep" | "silence";
                beepHz?: number;
            };
        } | {
            id: string;
            /** @constant */
            type: "voicemail.left";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                durationMs: number;
            };
        } | {
            id: string;
            /** @constant */
            type: "voicemail.received";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                durationMs: number;
                path: string;
                mailbox?: string;
            };
        } | {
            id: string;
            /** @constant */
            type: "recording.ready";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                durationMs: number;
                path: string;
            };
        } | {
            id: string;
            /** @constant */
            type: "call.erased";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                /** @enum {string} */
                what: "call" | "transcript" | "recording" | "voicemail";
                /** @enum {string} */
                by: "order" | "age";
            };
        } | {
            id: string;
            /** @constant */
            type: "dtmf.received";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                digit: string;
                durationMs: number;
            };
        } | {
            id: string;
            /** @constant */
            type: "agent.handover";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                to?: string;
                summary?: string;
            };
        } | {
            id: string;
            /** @constant */
            type: "transfer.started";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                to: string;
                /** @enum {string} */
                by: "us" | "far-end";
            };
        } | {
            id: string;
            /** @constant */
            type: "transfer.completed";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                to: string;
                /** @enum {string} */
                way: "refer" | "bridge" | "conference" | "replaced";
                confirmed: boolean;
                peerCallId?: string;
            };
        } | {
            id: string;
            /** @constant */
            type: "transfer.failed";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                to: string;
                sipStatus?: number;
                /** @enum {string} */
                cause?: "caller-hangup" | "agent-hangup" | "hangup-requested" | "finished" | "transferred" | "cancelled" | "rejected" | "busy" | "no-answer" | "unreachable" | "media-timeout" | "media-failed" | "engine-failed" | "idle" | "time-limit" | "machine" | "shutdown" | "internal" | "lost";
            };
        } | {
            id: string;
            /** @constant */
            type: "queue.joined";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                queue: string;
                position: number;
                waiting: number;
            };
        } | {
            id: string;
            /** @constant */
            type: "queue.left";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                queue: string;
                /** @enum {string} */
                reason: "bridged" | "hangup" | "timeout" | "full" | "redirected" | "not-allowed";
                waitMs: number;
                position?: number;
                peerCallId?: string;
            };
        } | {
            id: string;
            /** @constant */
            type: "hold.started";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                /** @enum {string} */
                by: "us" | "far-end";
            };
        } | {
            id: string;
            /** @constant */
            type: "hold.ended";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                /** @enum {string} */
                by: "us" | "far-end";
            };
        } | {
            id: string;
            /** @constant */
            type: "error";
            callId: string;
            sequence: number;
            /** Format: date-time */
            occurredAt: string;
            data: {
                code: string;
                message: string;
                fix?: string;
            };
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            code: string;
            /** @description What to do about it. */
            detail?: string;
            errors?: {
                path: string;
                message: string;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    isAlive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        status: "alive";
                        version: string;
                    };
                };
            };
        };
    };
    isReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        ready: boolean;
                        waitingFor: string[];
                    };
                };
            };
            /** @description Not yet, or draining. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        ready: boolean;
                        waitingFor: string[];
                    };
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Figures. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    getDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
        };
    };
    listCalls: {
        parameters: {
            query?: {
                state?: "trying" | "ringing" | "answered" | "ending" | "ended";
                since?: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        calls: components["schemas"]["Call"][];
                        /** @description Of the next page; left out on the last one. */
                        nextCursor?: string;
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    dial: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body again: done once, answered twice. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Dial"];
            };
        };
        responses: {
            /** @description The call. */
            201: {
                headers: {
                    Location: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description It waits for the hours at which we may call. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        waiting: components["schemas"]["WaitingCall"];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Call"];
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    eraseCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, or was. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTimeline: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        events: components["schemas"]["Event"][];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTranscript: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        turns: components["schemas"]["Turn"][];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    eraseTranscript: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, or was. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRecording: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sound. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "audio/wav": string;
                    "audio/ogg": string;
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    eraseRecording: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, or was. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVoicemail: {
        parameters: {
            query?: {
                number?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sound. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "audio/wav": string;
                    "audio/ogg": string;
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    eraseVoicemail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone, or was. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSip: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        messages: {
                            /** Format: date-time */
                            at: string;
                            sent: boolean;
                            /** @enum {string} */
                            transport: "udp" | "tcp" | "tls" | "ws" | "wss";
                            local: string;
                            remote: string;
                            copy: boolean;
                            text: string;
                        }[];
                        dropped: number;
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getQuality: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        intervalMs: number;
                        samples: {
                            atMs: number;
                            lostShare: number;
                            jitterMs: number;
                            mos?: number;
                            roundTripMs?: number;
                            packetsReceived: number;
                            packetsSent: number;
                        }[];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getPcap: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The capture. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/vnd.tcpdump.pcap": string;
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    act: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body again: done once, answered twice. */
                "Idempotency-Key"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Action"];
            };
        };
        responses: {
            /** @description Accepted. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        accepted: true;
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getDialplan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        rules: {
                            name: string;
                            place: string;
                            match: {
                                [key: string]: unknown;
                            };
                            action: string;
                        }[];
                        warnings: string[];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    routeCall: {
        parameters: {
            query: {
                to: string;
                from?: string;
                trunk?: string;
                language?: string;
                at?: string;
                header?: string | string[];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        rule?: {
                            name: string;
                            place: string;
                        };
                        action: string;
                        actionType: string;
                        passedOver: {
                            name: string;
                            place: string;
                            because: string;
                        }[];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    checkDialplan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        right: boolean;
                        rules: number;
                        warnings: string[];
                        faults: string[];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listWaiting: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        waiting: components["schemas"]["WaitingCall"][];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelWaiting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It will not be placed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listDeliveries: {
        parameters: {
            query?: {
                state?: "waiting" | "delivered" | "given-up" | "gone";
                callId?: string;
                limit?: number;
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        deliveries: components["schemas"]["Delivery"][];
                        /** @description Of the next page; left out on the last one. */
                        nextCursor?: string;
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replayDeliveries: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key and body again: done once, answered twice. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Replay"];
            };
        };
        responses: {
            /** @description Under way. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        replayed: number;
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createCallToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        token: string;
                        expiresInSeconds: number;
                        iceServers: {
                            urls: string;
                            username?: string;
                            credential?: string;
                        }[];
                    };
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    streamEvents: {
        parameters: {
            query?: {
                callId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listenIn: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/sdp": string;
            };
        };
        responses: {
            /** @description The answer. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/sdp": string;
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    placeWebCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/sdp": string;
            };
        };
        responses: {
            /** @description The answer. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/sdp": string;
                };
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    hangUpWebCall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                number: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The call is ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    addCandidates: {
        parameters: {
            query?: never;
            header: {
                "If-Match": string;
            };
            path: {
                number: string;
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/trickle-ice-sdpfrag": string;
            };
        };
        responses: {
            /** @description ICE has begun anew. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/trickle-ice-sdpfrag": string;
                };
            };
            /** @description Taken. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document (RFC 9457). */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
