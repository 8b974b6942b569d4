use proto::wire;

use crate::args::ExplainArgs;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::Out;

pub(crate) async fn run(args: ExplainArgs) -> Result<(), Failure> {
    let client = Client::of(&args.server).await?;
    let request = wire::ExplainRequest { url: args.url.clone() };
    let answer = client
        .routes()
        .explain(request)
        .await
        .map_err(|status| Failure::of_call(format_args!("cannot explain {}", args.url), &status))?
        .into_inner();
    let mut out = Out::new();
    let paint = out.paint();
    for (i, step) in answer.steps.iter().enumerate() {
        out.line(format_args!("{} {step}", paint.dim(format_args!("{:>2}.", i + 1))));
    }
    match answer.refusal.as_str() {
        "" => out.line(format_args!("{} {}", paint.green("=>"), "served")),
        refusal => out.line(format_args!("{} refused: {refusal}", paint.yellow("=>"))),
    }
    out.finish()
}
