/* A certificate of its own issue for "profiles.test", and its key: server, authority and client of the TLS tests.
 * Another pair for "other.test", whom nobody knows. Valid until 2126; they protect nothing.
 *
 *     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 36500 -nodes -subj /CN=profiles.test
 *             -addext subjectAltName=DNS:profiles.test
 */
#pragma once

static const char tls_cert[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBojCCAUegAwIBAgIUD/8sVKUiAeV+OvnhcLwdPvIB4FgwCgYIKoZIzj0EAwIw\n"
                               "GDEWMBQGA1UEAwwNcHJvZmlsZXMudGVzdDAgFw0yNjExMjQwMDQ3MzlaGA8yMTI2\n"
                               "MTAzMTAwNDczOVowGDEWMBQGA1UEAwwNcHJvZmlsZXMudGVzdDBZMBMGByqGSM49\n"
                               "AgEGCCqGSM49AwEHA0IABDjkoUROOmf6V98PDq6esIhG3LCjx81lPTEvi9yyIZzl\n"
                               "OP+rNFxZ3YqxzKijXuKor2vOoce2OVlxEVgBPgBqMymjbTBrMB0GA1UdDgQWBBTw\n"
                               "k+wCctSTcFRGfUcL8oeFVLXQ1zAfBgNVHSMEGDAWgBTwk+wCctSTcFRGfUcL8oeF\n"
                               "VLXQ1zAPBgNVHRMBAf8EBTADAQH/MBgGA1UdEQQRMA+CDXByb2ZpbGVzLnRlc3Qw\n"
                               "CgYIKoZIzj0EAwIDSQAwRgIhAJoIU2K+75N0sQydjuP9apQrDQoffI9GCPjv0tu9\n"
                               "CWIrAiEAuOE54hPvewKQucjbXjQY14DTN3yD2zpXXR94aJPIpMw=\n"
                               "-----END CERTIFICATE-----\n";

static const char tls_key[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6MbPvQsHsboPJRtB\n"
                              "40aO0jK12mIJd1UY5BtYKbd0oI6hRANCAAQ45KFETjpn+lffDw6unrCIRtywo8fN\n"
                              "ZT0xL4vcsiGc5Tj/qzRcWd2Kscyoo17iqK9rzqHHtjlZcRFYAT4AajMp\n"
                              "-----END PRIVATE KEY-----\n";

__attribute__((unused)) static const char tls_other_cert[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBmDCCAT6gAwIBAgIUDExwk86aZmsL4A803O+jve0WvrQwCgYIKoZIzj0EAwIw\n"
    "FTETMBEGA1UEAwwKb3RoZXIudGVzdDAgFw0yNjExMjQwMzIzNTNaGA8yMTI2MTAz\n"
    "MTAzMjM1M1owFTETMBEGA1UEAwwKb3RoZXIudGVzdDBZMBMGByqGSM49AgEGCCqG\n"
    "SM49AwEHA0IABLmrUp8sY1kniIj+EvZv+ymvJkfsVbz2TuXDQFBontE/8g3dwkD3\n"
    "y0/9X6l2yl90M62wMPK1J8wY8L4Gr94JzJOjajBoMB0GA1UdDgQWBBSccMgI6Vs0\n"
    "7pNRnfCDjpBppmPUjTAfBgNVHSMEGDAWgBSccMgI6Vs07pNRnfCDjpBppmPUjTAP\n"
    "BgNVHRMBAf8EBTADAQH/MBUGA1UdEQQOMAyCCm90aGVyLnRlc3QwCgYIKoZIzj0E\n"
    "AwIDSAAwRQIhAJgaDTlv+uEsuIQ+KCNrk+qZuEk7NTXoL0xUpTt5RE+cAiAwV9RO\n"
    "7U4roOnvZKQIXXlMRn0/BffMx/s4mslud4liBA==\n"
    "-----END CERTIFICATE-----\n";

__attribute__((unused)) static const char tls_other_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWuOOYy0wzRODufHd\n"
    "8Xb6cyQroUSON6Y+xBMHPWsJ/dehRANCAAS5q1KfLGNZJ4iI/hL2b/spryZH7FW8\n"
    "9k7lw0BQaJ7RP/IN3cJA98tP/V+pdspfdDOtsDDytSfMGPC+Bq/eCcyT\n"
    "-----END PRIVATE KEY-----\n";
