/* A certificate of its own issue for "profiles.test", and its key: server, authority and client of the TLS tests. Valid until 2126;
 * it protects nothing.
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
