//! Servers that speak first, or line by line: SMTP, POP3, IMAP, FTP, SSH. In: a line to a client, and the port that it came to. Out: what such a server
//! would say to each line, so that the client goes on to what it came for.

use std::io::{self, Write};
use std::time::Duration;

use super::line::Line;

/// How long a client may think.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_LINE: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Smtp,
    Pop3,
    Imap,
    Ftp,
    Ssh,
}

impl Server {
    /// Who is expected at this port to speak first.
    pub fn at(port: u16) -> Option<Server> {
        Some(match port {
            25 | 465 | 587 | 2525 => Server::Smtp,
            110 | 995 => Server::Pop3,
            143 | 993 => Server::Imap,
            21 => Server::Ftp,
            22 | 2222 => Server::Ssh,
            _ => return None,
        })
    }

    /// The word reports use.
    pub fn name(self) -> &'static str {
        match self {
            Server::Smtp => "smtp",
            Server::Pop3 => "pop3",
            Server::Imap => "imap",
            Server::Ftp => "ftp",
            Server::Ssh => "ssh",
        }
    }

    fn greeting(self) -> &'static str {
        match self {
            Server::Smtp => "220 mail ESMTP Postfix\r\n",
            Server::Pop3 => "+OK ready\r\n",
            Server::Imap => "* OK [CAPABILITY IMAP4rev1] ready\r\n",
            Server::Ftp => "220 (vsFTPd 3.0.5)\r\n",
            Server::Ssh => "SSH-2.0-OpenSSH_9.2p1\r\n",
        }
    }
}

/// The first word, which such a server has.
///
/// # Errors
/// Those of the line.
pub fn greet(line: &mut Line<'_>, server: Server) -> io::Result<()> {
    line.write_all(server.greeting().as_bytes())
}

/// All that the client said, and whether it is to go on within TLS. `offers`: it may ask for that.
pub fn serve(line: &mut Line<'_>, server: Server, offers: bool) -> (Vec<u8>, bool) {
    let mut said = Vec::new();
    let mut data = false;
    while let Some(text) = next(line, server) {
        said.extend(&text);
        let words = String::from_utf8_lossy(&text).trim_end().to_owned();
        if data {
            if words != "." {
                continue;
            }
            data = false;
        } else {
            data = server == Server::Smtp && words.eq_ignore_ascii_case("DATA");
        }
        if offers && server == Server::Smtp && words.eq_ignore_ascii_case("STARTTLS") {
            let ready = line.write_all(b"220 2.0.0 Ready to start TLS\r\n");
            return (said, ready.is_ok());
        }
        let (mut reply, ends) = reply(server, &words);
        if !offers {
            reply = reply.replace("250-STARTTLS\r\n", "");
        }
        if line.write_all(reply.as_bytes()).is_err() || ends {
            break;
        }
    }
    said.extend(line.take(usize::MAX));
    (said, false)
}

/// The next line with its end; of SSH whatever comes at once. Nothing when the client has said all.
fn next(line: &mut Line<'_>, server: Server) -> Option<Vec<u8>> {
    loop {
        let end = line.held().iter().position(|byte| *byte == b'\n');
        match end {
            _ if server == Server::Ssh && !line.held().is_empty() => return Some(line.take(usize::MAX)),
            Some(end) => return Some(line.take(end + 1)),
            None if line.held().len() > LONGEST_LINE => return Some(line.take(LONGEST_LINE)),
            None => line.more(PATIENCE).ok()?,
        }
    }
}

/// What is said to it, and whether the conversation ends there.
fn reply(server: Server, words: &str) -> (String, bool) {
    let verb = words.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
    let (text, ends) = match (server, verb.as_str()) {
        (Server::Smtp, "EHLO") => ("250-mail\r\n250-SIZE 52428800\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n", false),
        (Server::Smtp, "DATA") => ("354 End data with <CR><LF>.<CR><LF>\r\n", false),
        // LOGIN asks for name and password, each in base64 (draft-murchison-sasl-login).
        (Server::Smtp, "AUTH") if words.split(' ').count() < 3 => ("334 VXNlcm5hbWU6\r\n", false),
        (Server::Smtp, "AUTH") => ("235 2.7.0 Authentication successful\r\n", false),
        (Server::Smtp, "HELO" | "MAIL" | "RCPT" | "RSET" | "NOOP") => ("250 2.1.0 Ok\r\n", false),
        (Server::Smtp, ".") => ("250 2.0.0 Ok: queued as 4ZkQ2x1b\r\n", false),
        (Server::Smtp, "QUIT") => ("221 2.0.0 Bye\r\n", true),
        // The name, then the password.
        (Server::Smtp, _) if words.ends_with('=') || words.len() > 8 => ("235 2.7.0 Authentication successful\r\n", false),
        (Server::Smtp, _) => ("334 UGFzc3dvcmQ6\r\n", false),
        (Server::Pop3, "QUIT") => ("+OK bye\r\n", true),
        (Server::Pop3, "STAT") => ("+OK 0 0\r\n", false),
        (Server::Pop3, "LIST" | "UIDL" | "CAPA") => ("+OK\r\n.\r\n", false),
        (Server::Pop3, _) => ("+OK\r\n", false),
        (Server::Imap, _) => {
            return (format!("{} OK done\r\n", words.split(' ').next().unwrap_or("*")), words.to_ascii_uppercase().ends_with("LOGOUT"));
        }
        (Server::Ftp, "USER") => ("331 Please specify the password.\r\n", false),
        (Server::Ftp, "PASS") => ("230 Login successful.\r\n", false),
        (Server::Ftp, "SYST") => ("215 UNIX Type: L8\r\n", false),
        (Server::Ftp, "PWD") => ("257 \"/\"\r\n", false),
        (Server::Ftp, "PASV" | "EPSV" | "PORT" | "EPRT") => ("502 Command not implemented.\r\n", false),
        (Server::Ftp, "QUIT") => ("221 Goodbye.\r\n", true),
        (Server::Ftp, _) => ("200 OK\r\n", false),
        (Server::Ssh, _) => ("", false),
    };
    (text.to_owned(), ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::line::tests::fed;

    fn talk(server: Server, says: &str, size: usize) -> (String, String) {
        let mut fed = fed(says.as_bytes(), size);
        let mut line = Line::new(&mut fed);
        greet(&mut line, server).unwrap();
        let (said, _) = serve(&mut line, server, false);
        (String::from_utf8(said).unwrap(), String::from_utf8(fed.said).unwrap())
    }

    #[test]
    fn a_mail_is_taken() {
        let mail = "EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nQUIT\r\nAKIA\r\n.\r\nQUIT\r\n";
        for size in [1, 5, 4096] {
            let (said, heard) = talk(Server::Smtp, mail, size);
            assert_eq!(said, mail);
            let codes: Vec<&str> = heard.lines().filter(|line| line.as_bytes()[3] == b' ').map(|line| &line[..3]).collect();
            assert_eq!(codes, ["220", "250", "250", "250", "354", "250", "221"], "{heard}");
        }
        let (_, heard) = talk(Server::Smtp, "EHLO x\r\nAUTH LOGIN\r\nbWU=\r\n", 99);
        assert!(heard.ends_with("334 VXNlcm5hbWU6\r\n235 2.7.0 Authentication successful\r\n"), "{heard}");
    }

    #[test]
    fn others_are_led_on() {
        let (_, heard) = talk(Server::Ftp, "USER a\r\nPASS b\r\nQUIT\r\n", 3);
        assert!(heard.contains("331") && heard.contains("230") && heard.ends_with("221 Goodbye.\r\n"), "{heard}");
        let (_, heard) = talk(Server::Imap, "a1 LOGIN u p\r\na2 LOGOUT\r\n", 99);
        assert!(heard.contains("a1 OK") && heard.contains("a2 OK"), "{heard}");
        let (said, heard) = talk(Server::Ssh, "SSH-2.0-x\r\nbinary\0", 99);
        assert!(said.ends_with("binary\0") && heard == "SSH-2.0-OpenSSH_9.2p1\r\n");
        assert!(talk(Server::Pop3, "USER a\r\n", 1).1.starts_with("+OK ready\r\n+OK"));
    }
}
